/*
 * The log: every change is a row, and the state is a function of the rows. To apply a row no other
 * data is needed, no flag and no clock. Rows that are applied in order make the same state as rows
 * that are read from the newest to the oldest, as at start (tests/unit/store/test_store_model.c).
 * The store makes the rows, and a storage engine writes them in one transaction
 * (journal/storage.h); this header does not depend on the engine.
 *
 * Rows are numbered when the batch is written, one after the other without a gap. A group's id is
 * the number of the row that made it, and is never used again. Superseded rows are deleted at the
 * oldest end, in steps, after the live ones among the oldest rows have been written once more
 * ("moved"). A moved row names the number that it had at first, which counts where the order of
 * pushes matters: for the time of the last push, and for the help text that is shown. The newest
 * row always stays, so that numbers continue.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* The values are stored in databases. */
enum row_kind {
	ROW_GROUP = 1,  /* a group is made; body: its key */
	ROW_RECORD = 2, /* an accepted push; body: delimited MetricFamily messages, each of which
			   takes the place of what the group had of that name */
	ROW_WHOLE = 3,  /* the same, and it replaces everything that the group had */
	ROW_FAILED = 4, /* a push was refused; body: why, in words, FAILED_WHY_MAX bytes at most */
	ROW_END = 5,    /* the group ends; group 0: those end whose ids are the body (removal.h) */
	ROW_WIPE = 6,   /* all groups end */
	ROW_LIFE = 7, /* the group's lifetime; body: see life_encode(). If that says `expired`, the
			 values that the group had are gone */
	/*
	 * Of a summed group: the state of one contribution, of one family and its base, or of the
	 * group as a whole, which replaces earlier documents with its number. Body: its number in
	 * the group, 8 bytes with the lowest first, then what merge/document.h writes; nothing: the
	 * document is gone. Of records from before the group's first document only the times count.
	 */
	ROW_DOCUMENT = 8,
	/* Rows of no group, with 16 bytes for each hash, see store/remembered.h. */
	ROW_FOLDED = 9,    /* sources that were folded into the bases of their groups */
	ROW_PUSH_IDS = 10, /* increments that were added */
	ROW_BEAT = 11,     /* nothing: the gateway ran until then */
	/*
	 * The first row of a batch: the digest (store_digest()) of the state before it; 8 bytes for
	 * each of its two numbers, the lowest first. Only in logs that several gateways write. A
	 * body of another length comes from a version that counts other things, and is not
	 * compared.
	 */
	ROW_DIGEST = 12,
	ROW_TAKE = 20, /* a family is taken out of many groups; group 0; body: see removal.h. It
			  concerns records that were first written before it */
	/* For undos (store/undo.h). The state does not depend on these rows. */
	ROW_UNDO = 21, /* the removal in the row before it (ROW_END or ROW_TAKE of many groups) can
			  be undone; group 0; body: see undo.h */
	ROW_KEPT = 22, /* a moved row that only an undo needs; body: its kind, one byte, then its
			  body */
	ROW_UNDONE = 23, /* a removal can no longer be undone; group 0; body: its id, or nothing: no
			    earlier removal can be undone */
	/*
	 * Of families that an older version has stored and that contradict others: from now on the
	 * group does not show them, whatever becomes of the others. Body and time as of a record,
	 * whose place it takes, but it is no push.
	 */
	ROW_LEFT_OUT = 24,
};

enum { FAILED_WHY_MAX = 200 };
enum { LIFE_BODY = 3 * 8 + 1 };
enum { DOCUMENT_ID_BYTES = 8 };
enum { DIGEST_BODY = 2 * 8 };

struct row {
	uint64_t number;
	uint64_t group; /* its id; 0: all, or none */
	uint64_t from;  /* moved: the number that it had at first; 0: it has not been moved */
	enum row_kind kind;
	double at;       /* Unix seconds: of the push; 0: it comes from no push */
	struct str body; /* borrowed */
	uint64_t checksum;
};

struct rows {
	struct row *list; /* to be appended */
	size_t n, cap;
	uint64_t trim;       /* after that, all rows up to this number are deleted; 0: none */
	uint64_t live_bytes; /* about: of the log's rows that are not superseded */
	uint64_t kept_bytes; /* of the log's rows before these that are not deleted */
};

/* True if these rows free more room in the log than they take, now or when it is cleaned: groups
 * end, or live rows are moved.
 */
bool rows_free(const struct rows *rows);

static inline uint64_t row_first_number(const struct row *r)
{
	return r->from ? r->from : r->number;
}

/* Whether the body has messages of families. */
static inline bool row_has_families(const struct row *r)
{
	return r->kind == ROW_RECORD || r->kind == ROW_WHOLE || r->kind == ROW_LEFT_OUT;
}

/*
 * XXH3-64 without a seed, over number, kind, group, from, and the bits of at, each 8 bytes with the
 * lowest first, and the body.
 */
uint64_t row_checksum(const struct row *r);

enum row_verdict {
	ROW_INTACT,
	ROW_BAD_CHECKSUM, /* it has been changed since it was written, or has no time */
	ROW_UNKNOWN,      /* it is intact, but of a kind that this version does not know */
};

bool row_kind_is_known(enum row_kind kind);

/* Checks a row by itself. */
enum row_verdict row_verdict(const struct row *r);

/* How many bytes of the log a row counts as: those of its body, and some for its columns. */
enum { ROW_BYTES = 32 };

static inline uint32_t row_bytes_of(size_t body)
{
	return body < UINT32_MAX - ROW_BYTES ? (uint32_t)body + ROW_BYTES : UINT32_MAX;
}

struct digest {
	uint64_t state; /* of what the log holds */
	uint64_t shown; /* of what is shown beside that; see store/digest.h */
};

static inline bool digest_same(const struct digest *a, const struct digest *b)
{
	return a->state == b->state && a->shown == b->shown;
}

/* Reads a ROW_DIGEST. False: it does not come from this version. */
bool row_digest(const struct row *row, struct digest *ret);

/* The number of a document. False: the body is too short to have one. */
bool row_document_id(struct str body, uint64_t *ret);

/*
 * Reads the next message in the body of a record: *at starts as 0. 1: *ret_message with its length
 * in front, *ret_name as pushed. 0: there are no more. -1: this is no body of a record.
 */
int row_next_family(struct str body, size_t *at, struct str *ret_message, struct str *ret_name);

#endif
