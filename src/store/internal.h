/* What the files of src/store share: the store itself and the steps of a batch. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <pthread.h>

#include "base/table.h"
#include "pages/family.h"
#include "pages/group.h"
#include "pages/page.h"
#include "store/series_index.h"
#include "store/store.h"

/* A segment that is appended once more. */
struct move {
	size_t change; /* its place among the changes */
	size_t first;  /* its live slices, in moving.slices */
	uint32_t n;
};

/* Of the cleaning at hand. */
struct moving {
	struct move *list;
	size_t n, cap;
	struct slice **slices;
	size_t n_slices, cap_slices;
};

enum { CLEAN_KNOWN = 64 };

struct known {
	uint32_t group; /* 0: none */
	uint64_t oldest_row;
};

struct store {
	struct store_limits lim;

	/* The committer's alone: the state with everything that is staged. */
	struct table families;    /* by the hash of the exposed name */
	struct series_index keys; /* of the groups */
	struct group **by_id;     /* [0] unused; NULL: free */
	uint32_t n_ids, cap_ids;
	uint32_t *free_ids;
	uint32_t n_free_ids, cap_free_ids;
	struct series_index index;
	uint64_t staged_groups, staged_series;
	uint64_t next_row;
	struct group *touched, *last_touched; /* by the batch, linked by next_touched */
	struct changes changes;
	struct {
		uint64_t bytes;      /* of all segments that the database has */
		uint64_t live_bytes; /* of these, what groups still hold */
		uint64_t grown;      /* by the last batch */

		/* Of the cleaning at hand. */
		uint64_t trimmed, trim_to; /* bytes, row */
		struct moving moving;
		struct known known[CLEAN_KNOWN];

		/* A pass ends with the last row that there was at its begin; 0: none yet. */
		uint64_t pass_end, pass_moved, pass_dropped; /* row, bytes, bytes */
		uint64_t rest_until; /* no cleaning before the log is as long as this */
	} log;
	struct store_family **idle; /* families that the batch may have left without a group */
	size_t n_idle, cap_idle;
	struct store_family *time_families[2];

	/* Under the lock: what is published. */
	struct store_family **list; /* sorted by exposed name up to n_sorted; NULL: a hole */
	size_t n_list, n_sorted, cap_list;
	struct group **shown; /* by id; NULL: not published */
	uint32_t cap_shown;
	struct store_counts counts;

	pthread_mutex_t lock; /* the last member: store_wipe() exchanges what is before it */
};

/* Families of the staged state. find: with this very name; NULL when there is none. */
struct store_family *store_family_find(struct store *s, struct str name, struct str exposed,
				       uint64_t hash);
struct store_family *store_family_get(struct store *s, struct str name, struct str exposed,
				      uint64_t hash);
/* At the end of a batch: forgets the families that no group has any more. Under the lock. */
void store_sweep_families(struct store *s);

/* The group with that key, whatever its state; NULL: none. */
struct group *store_group_find(struct store *s, struct str key, uint64_t hash);
/* A group without a state. id 0: the next free one. */
struct group *store_group_add(struct store *s, struct str key, uint64_t hash, uint32_t id);
void store_group_remove(struct store *s, struct group *g);
/* The next group may have it. */
void store_free_id(struct store *s, uint32_t id);

/* Puts a state beside the current one; takes it. */
void store_stage_state(struct store *s, struct group *g, struct group_state *next);
/* Stages a push that is to be stored; -1: refused, push->err says why. */
int store_stage_put(struct store *s, struct group *g, struct push *push, struct segment **ret_seg);
/* True when the group's database row has to be written with the batch. */
bool store_group_row_stale(const struct group *g);
struct change *store_change_add(struct store *s, enum change_kind kind);
void store_changes_clear(struct store *s);
/* In clean.c. Counts the rows that the changes have appended. */
void store_log_grew(struct store *s);

/* Counts a slice in, or out, of the staged state: its family and the index of its series. */
void store_index_slice(struct store *s, const struct group *g, struct slice *slice);
void store_unindex_slice(struct store *s, const struct group *g, struct slice *slice);
/* The same for the group's own existence and its time metrics. */
void store_index_group(struct store *s, const struct group *g);
void store_unindex_group(struct store *s, const struct group *g);

/* -1 with ERR_INVALID when the slice would contradict what is staged. */
int store_check_slice(struct store *s, const struct group *g, const struct slice *slice,
		      struct err *err);
/* -1 with ERR_INVALID when another group already has the time metrics of g. */
int store_check_group(struct store *s, const struct group *g, struct err *err);

/*
 * Walks two sorted sets of slices side by side: *a and *b are the slices of one family, one of them
 * NULL when only the other set has it. False at the end. Start with zeroed positions.
 */
struct slice_pair {
	struct slice *a, *b;
	uint32_t i, j;
};
bool slice_pair_next(struct slice_pair *pair, const struct group_state *a,
		     const struct group_state *b);

/* Both sorted by exposed name, then name. */
int family_cmp(const struct store_family *a, const struct store_family *b);

#endif
