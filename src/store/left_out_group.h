/*
 * Groups in the database that are not shown because their keys break a rule. Memory holds
 * which of their rows are live, which cleaning needs to keep them, and the rows themselves, for a
 * database that is written anew: a version of the gateway that accepts the groups finds them
 * unchanged. The committer only.
 */
#ifndef STORE_LEFT_OUT_GROUP_H
#define STORE_LEFT_OUT_GROUP_H

#include "base/table.h"
#include "store/left_out_rows.h"
#include "store/store.h"

struct left_out_group {
	uint64_t id;
	char *key, *why; /* canonical bytes; `why` is the reason, ended by a NUL */
	size_t key_n;
	struct left_out_rows rows; /* from the start, in no order */
	struct table families;
	struct table documents;      /* of a summed group: its documents' rows, by number */
	uint64_t last, failed, life; /* numbers of live rows, as first written; 0: none */
	uint64_t live_bytes;         /* of its rows in the log: about */
	uint64_t bytes;              /* of memory: see stored_bytes.h */
	bool closed;                 /* while loading: no older record of the group is live */
	bool emptied;                /* while loading: the families of older records have expired */
	bool ends;                   /* in the current batch */
};

/* At start, for a row that makes a group. */
void left_out_group_add(struct store *s, const struct row *row, const char *why);
void left_out_groups_done(struct store *s);

/* The left-out group with this id; NULL: there is none. */
struct left_out_group *left_out_group_find(const struct store *s, uint64_t id);
/* For iterating: the group at this place of the table; false: the place is free. */
bool left_out_group_at(const struct store *s, size_t at, struct store_left_out *ret);

/*
 * Applies a row about the group that another gateway, which accepts the group, has written after
 * this one loaded it. Rows come in order; the same row may come again. -1: the row cannot be read.
 * The end of the group is a step of the current batch.
 */
int left_out_group_apply(struct store *s, struct left_out_group *l, const struct row *row);
/* The same for a row that takes a family out of many groups. */
void left_out_group_take(struct store *s, struct left_out_group *l, struct str family);

/* For cleaning: whether the row may be live, and whether this family of its body is. */
bool left_out_group_has_row(const struct left_out_group *l, const struct row *row);
bool left_out_group_has_family(const struct left_out_group *l, uint64_t number, struct str name);

/*
 * After a push was accepted: ends left-out groups with its key, in the same batch. When that is
 * published, left_out_group_remove() removes each, under the lock of the pages.
 */
void left_out_groups_end(struct store *s, const struct push *push);
void left_out_group_remove(struct store *s, struct left_out_group *l);

#endif
