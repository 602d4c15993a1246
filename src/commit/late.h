/*
 * Late pushes: large pushes let small ones pass. A push of many families takes as long as a
 * thousand small ones, which would all wait for it. So it waits here and gets a batch of its own,
 * behind all that came with it; while it is staged in steps (store/large.h) it is the first in the
 * list, and batches of newer pushes run between two steps. Pushes to one group keep their order,
 * and none passes a wipe. The committer's thread.
 */
#ifndef COMMIT_LATE_H
#define COMMIT_LATE_H

#include "push/push.h"

enum {
	LATE_FAMILIES = 2000,
	/*
	 * When this many large pushes are late, or this many in all, no others are taken from the
	 * queue.
	 */
	LATE_MAX_LARGE = 8,
	LATE_MAX = 2048,
};

struct late {
	struct queue_node *first, **last; /* of pushes */
	struct queue_node **put_off;      /* place behind the first one and those put off for it */
	size_t n, n_large, n_wipes;
};

/* Tests lower it. */
extern uint32_t late_families;

void late_init(struct late *l);

bool late_is_large(const struct push *p);
bool late_is_full(const struct late *l);

/* Adds a push behind the others. */
void late_add(struct late *l, struct push *p);
/* Adds a push that came while only the first late one was there, behind that one. */
void late_put_off(struct late *l, struct push *p);
/* Whether there is a late push to the same group. */
bool late_has_group_of(const struct late *l, const struct push *p);

/* The first late push, which stays there; NULL: there is none. */
struct push *late_first(const struct late *l);

/*
 * Moves pushes that have to wait from the list to the late ones. Returns the others, NULL: there
 * are none.
 */
struct push *late_sort(struct late *l, struct push *list);

/* Takes the next batch of late pushes: a large one, or up to max others. NULL: there are none. */
struct push *late_take(struct late *l, size_t max, size_t *ret_n);

#endif
