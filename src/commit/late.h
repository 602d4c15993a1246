/*
 * Large pushes let small ones pass: a push of many families takes as long as a thousand small ones,
 * which would all wait for it. So it gets a batch of its own, behind all that came with it, and
 * between two of them goes what has come meanwhile. The order of what concerns one group stays, and
 * nothing passes a wipe. The committer's thread.
 */
#ifndef COMMIT_LATE_H
#define COMMIT_LATE_H

#include "push/push.h"

enum { LATE_FAMILIES = 2000, LATE_MAX = 8 /* then no others are taken meanwhile */ };

struct late {
	struct queue_node *first, **last; /* of pushes */
	size_t n, n_wipes;
};

void late_init(struct late *l);

/* Takes those out of the list that have to wait. Returns the others, NULL: there are none. */
struct push *late_sort(struct late *l, struct push *list);

/* The next batch of those that wait: a large push, or up to max others. NULL: none waits. */
struct push *late_take(struct late *l, size_t max, size_t *ret_n);

#endif
