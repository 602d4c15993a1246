/*
 * A committer with its queue and a store, and storage in memory or none, for the tests of what it
 * does: a test submits pushes from its own thread and waits for their verdicts.
 */
#ifndef TESTS_UNIT_COMMIT_COMMITTER_WORLD_H
#define TESTS_UNIT_COMMIT_COMMITTER_WORLD_H

#include <check.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "commit/committer.h"
#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"

struct world {
	struct queue queue;
	struct store *store;
	struct mem_storage rows;
	struct storage_ops ops; /* of a test that commits in its own way */
	struct committer *committer;
};

/* Where a pusher waits for its verdict. */
struct verdict {
	sem_t there;
	enum err_reason reason;
};

static atomic_uint batches, pushes;
/* When the committer answered last. */
static _Atomic int64_t answered_ns;

static inline void batch_done(void)
{
	batches++;
}

static inline void told(struct push *push)
{
	struct verdict *v = push->done_arg;

	v->reason = push->err.reason;
	push_free(push);
	answered_ns = clock_mono_ns();
	sem_post(&v->there);
}

static inline void setup(struct world *w, bool with_storage)
{
	struct err err;

	/* The log lines of failed commits would only confuse. */
	log_init(LOG_ERROR + 1, LOG_LOGFMT);
	batches = 0;
	queue_init(&w->queue, 10000, 100 << 20);
	w->store = store_new(&(struct store_limits){ 1000, 100000 });
	mem_storage_init(&w->rows);
	w->committer = committer_start(&w->queue, w->store, with_storage ? &w->rows.base : NULL,
				       batch_done, &err);
	ck_assert_ptr_nonnull(w->committer);
}

static inline void teardown(struct world *w)
{
	committer_stop(w->committer);
	queue_done(&w->queue);
	store_free(w->store);
	mem_storage_done(&w->rows);
}

static inline void submit_as(struct world *w, struct verdict *v, bool dry_run, enum push_mode mode,
			     const char *path, const char *body)
{
	struct push *push = make_push(mode, path, body, (double)++pushes);

	sem_init(&v->there, 0, 0);
	push->done = told;
	push->done_arg = v;
	push->dry_run = dry_run;
	/* On a busy machine those that would wait for too long are refused (commit/pace.h). */
	enum queue_result result;
	while ((result = queue_push(&w->queue, &push->node)) == QUEUE_FULL) {
		queue_wake(&w->queue);
		sched_yield();
	}
	ck_assert_int_eq(result, QUEUE_OK);
}

static inline void submit(struct world *w, struct verdict *v, enum push_mode mode, const char *path,
			  const char *body)
{
	submit_as(w, v, false, mode, path, body);
}

static inline enum err_reason wait_for(struct verdict *v)
{
	while (sem_wait(&v->there) != 0)
		;
	sem_destroy(&v->there);
	return v->reason;
}

static inline enum err_reason push(struct world *w, enum push_mode mode, const char *path,
				   const char *body)
{
	struct verdict v;

	submit(w, &v, mode, path, body);
	queue_wake(&w->queue);
	return wait_for(&v);
}

static inline enum err_reason dry_run(struct world *w, enum push_mode mode, const char *path,
				      const char *body)
{
	struct verdict v;

	submit_as(w, &v, true, mode, path, body);
	queue_wake(&w->queue);
	return wait_for(&v);
}

static inline void check_reloaded(struct world *w)
{
	struct store *again = store_new(&(struct store_limits){ 1000, 100000 });
	CLEANUP(freep) char *want = exposed_pushed(w->store);
	struct err err = { 0 };

	ck_assert_msg(load_store(&w->rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	CLEANUP(freep) char *got = exposed_pushed(again);

	ck_assert_str_eq(got, want);
	store_free(again);
}

#endif
