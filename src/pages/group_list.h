/*
 * All published groups, in brief and some at a time, for requests that look for groups among all of
 * them. They come in no order: a request that wants the first groups of an order selects them
 * (api/picks.h), which costs less than keeping millions sorted through every push.
 */
#ifndef PAGES_GROUP_LIST_H
#define PAGES_GROUP_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "pages/group.h"
#include "pages/lifetime.h"

struct pages;

struct group_brief {
	uint64_t id; /* of the row that made it; never used again */
	uint32_t slot;
	struct extent key;           /* canonical bytes, in the keys of the list */
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	uint64_t n_series;           /* exposed lines, without those of the group's own times */
	uint64_t n_bytes;            /* of its families' messages in the database */
	uint32_t n_families;
	bool expired, overdue, conflict;
	struct summed_brief summed;
};

struct group_list {
	struct group_brief *list;
	uint32_t n, cap;
	struct strbuf keys;
};

void group_list_done(struct group_list *l);

/*
 * Any thread. Fills the list anew with the next groups behind *cursor (0 to begin), and moves
 * *cursor. False: there are no more. The lock is held for some ten microseconds. Between two calls
 * groups may come and go; one that exists throughout is given exactly once.
 */
bool pages_list_groups(struct pages *p, uint32_t *cursor, struct group_list *ret);

/* Any thread. The slot of the group with this key; 0: there is none. */
uint32_t pages_find_group(struct pages *p, struct str key);

static inline struct str group_list_key(const struct group_list *l, const struct group_brief *g)
{
	return strbuf_at(&l->keys, g->key);
}

/* Details of a group, for the few that are shown. */
struct group_details {
	struct life life;      /* all 0: it does not end by itself */
	struct str failed_why; /* why the last refused push was refused; empty: not known */
	struct str peer, user; /* of the last push that was accepted; empty: not known */
	struct str rivals[CONFLICT_RIVALS]; /* of a group in conflict: the other addresses; empty:
					       no more */
};

/* Any thread. 1: copied into the arena, 0: the group is not there any more, -1: the arena is full.
 */
int pages_group_details(struct pages *p, const struct group_brief *of, struct arena *a,
			struct group_details *ret);

#endif
