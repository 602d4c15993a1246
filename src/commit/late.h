/*
 * Large pushes let small ones pass: a push of many families takes as long as a thousand small ones,
 * which would all wait for it. So it gets a batch of its own, behind all that came with it; while
 * it is staged in steps (store/large.h) it is the first of those that wait here, and between two
 * steps goes what has come meanwhile. The order of what concerns one group stays, and nothing
 * passes a wipe. The committer's thread.
 */
#ifndef COMMIT_LATE_H
#define COMMIT_LATE_H

#include "push/push.h"

enum {
	LATE_FAMILIES = 2000,
	/* When so many large ones wait, or so many in all, no others are taken meanwhile. */
	LATE_MAX_LARGE = 8,
	LATE_MAX = 2048,
};

struct late {
	struct queue_node *first, **last; /* of pushes */
	struct queue_node **put_off;      /* behind the first one, and what was put off for it */
	size_t n, n_large, n_wipes;
};

/* Tests have fewer families be many. */
extern uint32_t late_families;

void late_init(struct late *l);

bool late_is_large(const struct push *p);
bool late_is_full(const struct late *l);

/* It waits behind the others. */
void late_add(struct late *l, struct push *p);
/* It came when only the first of those that wait was there, and waits behind that one. */
void late_put_off(struct late *l, struct push *p);
/* Is there a push to the same group? */
bool late_has_group_of(const struct late *l, const struct push *p);

/* The first of those that wait, which stays there; NULL: none waits. */
struct push *late_first(const struct late *l);

/* Takes those out of the list that have to wait. Returns the others, NULL: there are none. */
struct push *late_sort(struct late *l, struct push *list);

/* The next batch of those that wait: a large push, or up to max others. NULL: none waits. */
struct push *late_take(struct late *l, size_t max, size_t *ret_n);

#endif
