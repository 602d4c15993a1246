/*
 * The large push that is first among those that wait (late.h), as it is staged in steps
 * (store/large.h). When there is no step left, it is taken from there and becomes a batch. The
 * committer's thread.
 */
#ifndef COMMIT_LARGE_STEPS_H
#define COMMIT_LARGE_STEPS_H

#include "commit/late.h"
#include "store/store.h"

struct large_steps {
	struct store *store;
	struct late *late;
	uint64_t max_body; /* that the database can take of a push */
	bool at_once;      /* it is not staged in steps */
	bool begun;        /* it is; what others write may end that */
	unsigned n_ended;  /* how often that was */
	bool leaving;      /* a dry run, whose verdict is known */
};

/* Borrows both. */
void large_steps_init(struct large_steps *l, struct store *store, struct late *late,
		      uint64_t max_body);

/*
 * One step. False: none is left, or there is no such push. may_begin: false as long as something
 * else has to come first.
 */
bool large_steps_go_on(struct large_steps *l, bool may_begin);

/*
 * Before a batch of others, of *n pushes: those to whom the large push may be in the way wait until
 * it is decided, with what comes after them to the same group. Returns the others, *n of them.
 */
struct push *large_steps_put_off(struct large_steps *l, struct push *first, size_t *n);

/* What comes next cannot be done beside it: nothing is left of it, and it will be staged at once.
 */
void large_steps_give_up(struct large_steps *l);

/* It does not wait any more. */
void large_steps_done(struct large_steps *l);

#endif
