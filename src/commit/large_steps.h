/*
 * Stages the first late push (late.h), if it is large, in steps (store/large.h). When no step is
 * left, the caller takes it from the late ones and makes it a batch. The committer's thread.
 */
#ifndef COMMIT_LARGE_STEPS_H
#define COMMIT_LARGE_STEPS_H

#include "commit/late.h"
#include "store/store.h"

struct large_steps {
	struct store *store;
	struct late *late;
	uint64_t max_body; /* the largest push that the database can take */
	bool at_once;      /* it is not to be staged in steps */
	bool begun;        /* its steps have begun; rows of others may end that */
	unsigned n_ended;  /* how often they did */
	bool leaving;      /* it is a dry run, whose verdict is known */
};

/* Borrows both. */
void large_steps_init(struct large_steps *l, struct store *store, struct late *late,
		      uint64_t max_body);

/*
 * Does one step. False: none is left, or there is no such push. may_begin: false while something
 * else has to come first.
 */
bool large_steps_go_on(struct large_steps *l, bool may_begin);

/*
 * Before a batch of *n other pushes: makes those wait that the large push may be in the way of,
 * with later pushes to their groups. Returns the others, *n of them.
 */
struct push *large_steps_put_off(struct large_steps *l, struct push *first, size_t *n);

/*
 * Drops what is staged of it, since what comes next cannot be done beside it: it will be staged at
 * once, without steps.
 */
void large_steps_give_up(struct large_steps *l);

/* Call when it no longer waits. */
void large_steps_done(struct large_steps *l);

#endif
