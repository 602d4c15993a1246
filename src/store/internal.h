/* What the files of src/store share: the store itself and the steps of a batch. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "base/table.h"
#include "pages/pages.h"
#include "store/change.h"
#include "store/series_index.h"
#include "store/store.h"

/* One metric family over all groups: every group must agree on its type. As staged. */
struct store_family {
	struct shown_family shown; /* first: entries point to it */
	uint64_t named;            /* by the change of that number */
	uint32_t n_groups;         /* groups that hold it, ourselves included */
	uint8_t type;              /* enum metric_type; of those groups */
	bool own;                  /* one of our own metrics: the type stays, help is ours */
	bool idle; /* among the families that the batch may have left without a group */
};

/* A record that is appended once more. */
struct move {
	size_t row; /* its place among the rows */
	struct record *record;
};

/* Of the cleaning at hand. */
struct moving {
	struct move *list;
	size_t n, cap;
};

enum { CLEAN_KNOWN = 64 };

struct known {
	uint32_t group; /* 0: none */
	uint64_t oldest_row;
};

/* What a push has put into a group, in the order of the pushes. */
struct batch_record {
	struct record *record;
	struct group *group;
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
	struct change change;                 /* the one at hand */
	struct group *touched, *last_touched; /* by the batch, linked by staged->next */
	struct batch_record *records;
	size_t n_records, cap_records;
	struct rows rows;
	struct {
		uint64_t bytes;      /* of all rows that the database has */
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

	struct pages pages; /* the last member, as its lock is: store_wipe() exchanges the rest */
};

static inline struct entry *store_entry(const struct store *s, uint32_t id)
{
	return pages_entry(&s->pages, id);
}

static inline struct store_family *entry_family(const struct entry *e)
{
	return (struct store_family *)e->help->family;
}

/* Families of the staged state. find: with this very name; NULL when there is none. */
struct store_family *store_family_find(struct store *s, struct str name, struct str exposed,
				       uint64_t hash);
struct store_family *store_family_get(struct store *s, struct str name, struct str exposed,
				      uint64_t hash);
/* At the end of a batch: forgets the families that no group has any more. Under the lock. */
void store_sweep_families(struct store *s);

/* The group with that key, whatever its state; NULL: none. */
struct group *store_group_find(struct store *s, struct str key, uint64_t hash);
/* A group that is not there yet. id 0: the next free one. */
struct group *store_group_add(struct store *s, struct str key, struct str labels, uint64_t hash,
			      uint32_t id);
void store_group_remove(struct store *s, struct group *g);
/* The next group may have it. */
void store_free_id(struct store *s, uint32_t id);

/* The times of groups (times.c). Finds out, once, whether they need a message beside their text. */
void times_look_at_key(struct group *g);
/* Makes that of one of them. */
void times_make_proto(struct store *s, struct group *g, int which, double value);

/*
 * Stages families that a push has brought into a group that is there; of a PUT all others go. -1:
 * refused, push->err says why. *ret_record: NULL when there were no families.
 */
int store_stage_families(struct store *s, struct group *g, struct push *push,
			 struct record **ret_record);
/* The end of a batch, published or not. */
void store_forget_batch(struct store *s);

struct row *store_row_add(struct store *s, enum row_kind kind);
void store_rows_clear(struct store *s);
/* In clean.c. Counts the rows that the batch has appended. */
void store_log_grew(struct store *s);

/* Counts an entry in, or out, of the staged state: its family and the index of its series. */
void store_index_entry(struct store *s, const struct group *g, const struct entry *e);
void store_unindex_entry(struct store *s, const struct group *g, const struct entry *e);
/* The same for the group's own existence and its time metrics. */
void store_index_group(struct store *s, const struct group *g);
void store_unindex_group(struct store *s, const struct group *g);

/* -1 with ERR_INVALID when the entry would contradict what is staged. */
int store_check_entry(struct store *s, const struct group *g, const struct entry *e,
		      struct err *err);
/* -1 with ERR_INVALID when another group already has the time metrics of g. */
int store_check_group(struct store *s, const struct group *g, struct str labels, struct err *err);

#endif
