/*
 * Groups that the database has and that a rule does not let in, because of their keys. They are not
 * shown. What is in memory is what cleaning needs to keep them: which of their rows are live. A
 * version that lets them in finds them unchanged. The committer only.
 */
#ifndef STORE_LEFT_OUT_GROUP_H
#define STORE_LEFT_OUT_GROUP_H

#include "base/table.h"
#include "store/store.h"

struct left_out_group {
	uint64_t id;
	char *key, *why; /* canonical bytes; the reason, ended by a NUL */
	size_t key_n;
	struct table families;
	struct table documents; /* of a summed group: their rows, by number */
	uint64_t last, failed,
		life;        /* numbers of live rows when they were first written; 0: none */
	uint64_t live_bytes; /* of its rows in the log: about */
	bool closed;         /* while loading: no older record of it is live */
	bool emptied;        /* the same: the families of older records have expired */
	bool ends;           /* in the batch at hand */
};

/* At start, for a row that makes a group. */
void left_out_group_add(struct store *s, uint64_t id, struct str key, const char *why);
void left_out_groups_done(struct store *s);

/* NULL: no group of that id is left out. */
struct left_out_group *left_out_group_find(const struct store *s, uint64_t id);
/* For iterating over them: the one at a place of the table; false: the place is free. */
bool left_out_group_at(const struct store *s, size_t at, struct store_left_out *ret);

/*
 * A row that another gateway, which lets the group in, has written about it after it was loaded: in
 * order, and it may come again. -1: it is not what we wrote. The end of the group is a step of the
 * batch at hand.
 */
int left_out_group_apply(struct store *s, struct left_out_group *l, const struct row *row);
/* The same where a row takes a family out of many groups. */
void left_out_group_take(struct store *s, struct left_out_group *l, struct str family);

/* For cleaning: may there be something live in the row, is this family of its body live? */
bool left_out_group_has_row(const struct left_out_group *l, const struct row *row);
bool left_out_group_has_family(const struct left_out_group *l, uint64_t number, struct str name);

/* After a push was accepted: groups left out that have its key end with the batch. When it is
 * published, each is removed, under the lock of the pages.
 */
void left_out_groups_end(struct store *s, const struct push *push);
void left_out_group_remove(struct store *s, struct left_out_group *l);

#endif
