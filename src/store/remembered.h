/*
 * Hashes that the gateway remembers, up to a million, of which the oldest are forgotten first:
 * sources of summed groups that were folded into the base, and ids of pushes. The log has them in
 * rows of no group. The committer only (private to src/store).
 */
#ifndef STORE_REMEMBERED_H
#define STORE_REMEMBERED_H

#include "store/rows.h"

enum { REMEMBERED_MAX = 1000000, REMEMBERED_ADDERS_MAX = 100000, REMEMBERED_BYTES = 16 };

struct remembered_hash {
	uint64_t v[2];
};

/*
 * A million hashes take 24 MB, and 40 ms at start: they are in one array, their rows in another,
 * and a table of 4 bytes each finds them.
 */
struct remembered {
	enum row_kind kind;
	/* Hashes from the oldest to the newest; a ring, once there are `max`. */
	struct remembered_hash *ring;
	size_t first, n, cap, max;
	/*
	 * The rows of these hashes, in the same order; hashes of the first row may be forgotten
	 * already.
	 */
	struct remembered_row {
		uint64_t number;        /* when it was first written; 0: no row has them */
		uint32_t n_row, n_left; /* hashes that the row has, and those that are remembered */
	} * rows;
	size_t first_row, n_rows, cap_rows;
	uint32_t *places; /* places in the ring, + 1, by hash.v[0]; 0: free */
	size_t cap_places;
	uint64_t live_bytes; /* bytes of their rows */
	/* Hashes that the batch adds. */
	struct remembered_hash *staged;
	size_t n_staged, cap_staged;
	uint64_t row; /* number of its row; 0: there is none */
	/* While the log is loaded: the rows, in any order, and their hashes. */
	struct restored_row {
		struct remembered_row row;
		struct remembered_hash *hashes;
	} * restored;
	size_t n_restored, cap_restored;
};

void remembered_init(struct remembered *r, enum row_kind kind, size_t max);
void remembered_done(struct remembered *r);

bool remembered_has(const struct remembered *r, struct remembered_hash h);
void remembered_stage(struct remembered *r, struct remembered_hash h);
/* The body of the batch's row, which the caller frees; empty: the batch needs no row. */
struct str remembered_body(const struct remembered *r);
/* Call when the row is written. Returns by how many bytes the live part of the log grows. */
int64_t remembered_publish(struct remembered *r);
void remembered_roll_back(struct remembered *r);

/*
 * Adds the hashes of a row that another gateway has written. -1: the body is not a list of hashes.
 */
int remembered_apply(struct remembered *r, const struct row *row);

/* Whether the row with that number is still live. */
bool remembered_is_live(const struct remembered *r, uint64_t number);

/*
 * At start: rows in any order, then once remembered_restore_end(), which returns the bytes of live
 * rows. -1: the body is not a list of hashes.
 */
int remembered_restore(struct remembered *r, const struct row *row);
int64_t remembered_restore_end(struct remembered *r);

/* The i-th hash, the oldest first. */
struct remembered_hash remembered_at(const struct remembered *r, size_t i);

#endif
