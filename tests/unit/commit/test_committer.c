/*
 * The committer: what a pusher is told and what is then true. Its thread is the only one that
 * touches the store, while any number of others queue pushes and scrape.
 */
#include <check.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "commit/committer.h"
#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/run.h"

struct world {
	struct queue queue;
	struct store *store;
	struct mem_storage rows;
	struct storage_ops ops; /* of commit_by() */
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

static void batch_done(void)
{
	batches++;
}

static void told(struct push *push)
{
	struct verdict *v = push->done_arg;

	v->reason = push->err.reason;
	push_free(push);
	answered_ns = clock_mono_ns();
	sem_post(&v->there);
}

static void setup(struct world *w, bool with_storage)
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

static void teardown(struct world *w)
{
	committer_stop(w->committer);
	queue_done(&w->queue);
	store_free(w->store);
	mem_storage_done(&w->rows);
}

static void submit_as(struct world *w, struct verdict *v, bool dry_run, enum push_mode mode,
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

static void submit(struct world *w, struct verdict *v, enum push_mode mode, const char *path,
		   const char *body)
{
	submit_as(w, v, false, mode, path, body);
}

static enum err_reason wait_for(struct verdict *v)
{
	while (sem_wait(&v->there) != 0)
		;
	sem_destroy(&v->there);
	return v->reason;
}

static enum err_reason push(struct world *w, enum push_mode mode, const char *path,
			    const char *body)
{
	struct verdict v;

	submit(w, &v, mode, path, body);
	queue_wake(&w->queue);
	return wait_for(&v);
}

static enum err_reason dry_run(struct world *w, enum push_mode mode, const char *path,
			       const char *body)
{
	struct verdict v;

	submit_as(w, &v, true, mode, path, body);
	queue_wake(&w->queue);
	return wait_for(&v);
}

START_TEST(a_push_of_each_kind_is_answered)
{
	struct world w;

	setup(&w, _i);
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", "a 1\n"), 0);
	ck_assert_int_eq(push(&w, PUSH_PUT, "/k", "a 1 1\n"), ERR_INVALID);
	ck_assert_int_eq(push(&w, PUSH_PUT, "/k", "# TYPE a gauge\na 1\n"), ERR_INVALID);
	ck_assert_int_eq(push(&w, PUSH_DELETE, "/l", ""), 0);
	CLEANUP(freep) char *got = exposed_pushed(w.store);

	ck_assert_str_eq(got, "# TYPE a untyped\na{instance=\"\",job=\"j\"} 1\n");
	ck_assert_uint_eq(store_counts(w.store).groups, 2);
	ck_assert_uint_eq(mem_storage_count(&w.rows, ROW_GROUP), _i ? 2 : 0);
	ck_assert_uint_eq(mem_storage_count(&w.rows, ROW_RECORD), _i ? 1 : 0);
	ck_assert_uint_eq(mem_storage_count(&w.rows, ROW_FAILED), _i ? 2 : 0);
	struct committer_stats stats = committer_stats(w.committer);

	/* A deletion of nothing is no transaction; each push was a batch of its own. */
	ck_assert_uint_eq(stats.commits, _i ? 3 : 0);
	ck_assert_uint_eq(stats.commit_seconds.count, _i ? 3 : 0);
	ck_assert_uint_eq(stats.batch_pushes.count, 4);
	ck_assert(stats.batch_pushes.sum == 4 && stats.commit_failures == 0);
	teardown(&w);
	ck_assert_uint_eq(batches, 4);
}
END_TEST

START_TEST(failed_commits)
{
	struct verdict v[4];
	struct world w;

	setup(&w, true);
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", "a 1\n"), 0);
	CLEANUP(strbuf_done) struct strbuf before = { 0 };
	CLEANUP(strbuf_done) struct strbuf after = { 0 };

	exposed_add(w.store, &before);
	w.rows.refuse = true;
	submit(&w, &v[0], PUSH_PUT, "/j", "a 2\n");
	submit(&w, &v[1], PUSH_PUT, "/k", "a 1 1\n");
	submit(&w, &v[2], PUSH_DELETE, "/j", "");
	submit(&w, &v[3], PUSH_POST, "/n", "n 1\n");
	queue_wake(&w.queue);
	/* What was wrong with it is still wrong; nothing else is known of it. */
	ck_assert_int_eq(wait_for(&v[0]), ERR_STORAGE);
	ck_assert_int_eq(wait_for(&v[1]), ERR_INVALID);
	ck_assert_int_eq(wait_for(&v[2]), ERR_STORAGE);
	ck_assert_int_eq(wait_for(&v[3]), ERR_STORAGE);
	exposed_add(w.store, &after);
	ck_assert(str_eq(strbuf_str(&before), strbuf_str(&after)));
	ck_assert_uint_ge(committer_stats(w.committer).commit_failures, 1);
	w.rows.refuse = false;
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", "a 3\n"), 0);
	CLEANUP(freep) char *got = exposed_pushed(w.store);

	ck_assert_str_eq(got, "# TYPE a untyped\na{instance=\"\",job=\"j\"} 3\n");
	teardown(&w);
}
END_TEST

static const struct {
	enum push_mode mode;
	const char *path, *body;
	enum err_reason verdict;
} dry_runs[] = {
	{ PUSH_PUT, "/j", "# TYPE a gauge\na 2\nb 1\n", ERR_NONE },
	{ PUSH_POST, "/j", "a 1\na 1\n", ERR_INVALID },
	{ PUSH_POST, "/k", "# TYPE a counter\na 1\n", ERR_INVALID },
	{ PUSH_POST, "/k", "a_sum 1\n# TYPE a summary\na_count 1\n", ERR_INVALID },
	{ PUSH_PUT, "/l", "# TYPE a gauge\na 1\n", ERR_NONE },
	{ PUSH_PUT, "/m", "n 1\n", ERR_NONE },
	{ PUSH_PUT, "/j", "c 1\n", ERR_NONE },
	{ PUSH_PUT, "/k", "# TYPE b counter\nb 1\n", ERR_NONE },
};

/* The state is as before, and what the push itself is told is the same. */
START_TEST(a_dry_run_leaves_nothing_behind)
{
	struct world w;

	setup(&w, _i);
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", "# TYPE a gauge\na 1\n"), ERR_NONE);
	for (size_t i = 0; i < ARRAY_LEN(dry_runs); i++) {
		CLEANUP(strbuf_done) struct strbuf before = { 0 }, after = { 0 };
		struct committer_stats stats = committer_stats(w.committer);
		struct store_counts counts = store_counts(w.store);
		size_t n_rows = w.rows.n_rows;

		exposed_add(w.store, &before);
		ck_assert_int_eq(dry_run(&w, dry_runs[i].mode, dry_runs[i].path, dry_runs[i].body),
				 dry_runs[i].verdict);
		exposed_add(w.store, &after);
		ck_assert(str_eq(strbuf_str(&before), strbuf_str(&after)));
		ck_assert_uint_eq(w.rows.n_rows, n_rows);
		ck_assert_uint_eq(store_counts(w.store).groups, counts.groups);
		ck_assert_uint_eq(store_counts(w.store).series, counts.series);
		ck_assert_uint_eq(committer_stats(w.committer).commits, stats.commits);
		ck_assert_uint_eq(committer_stats(w.committer).batch_pushes.count,
				  stats.batch_pushes.count);
		ck_assert_int_eq(push(&w, dry_runs[i].mode, dry_runs[i].path, dry_runs[i].body),
				 dry_runs[i].verdict);
	}
	teardown(&w);
}
END_TEST

/* Queued before those that contradict it: neither they nor another dry run see it. */
START_TEST(nobody_sees_a_dry_run)
{
	struct verdict v[4];
	struct world w;

	setup(&w, _i);
	for (int round = 0; round < 20; round++) {
		submit_as(&w, &v[0], true, PUSH_PUT, "/j", "# TYPE a gauge\na 1\n");
		submit(&w, &v[1], PUSH_PUT, "/k", "# TYPE b counter\nb 1\n");
		submit_as(&w, &v[2], true, PUSH_PUT, "/l", "# TYPE a counter\na 1\n");
		submit(&w, &v[3], PUSH_PUT, "/k", "# TYPE a summary\na_sum 1\na_count 1\n");
		queue_wake(&w.queue);
		ck_assert_int_eq(wait_for(&v[0]), ERR_NONE);
		ck_assert_int_eq(wait_for(&v[1]), ERR_NONE);
		ck_assert_int_eq(wait_for(&v[2]), ERR_NONE);
		ck_assert_int_eq(wait_for(&v[3]), ERR_NONE);
		ck_assert_int_eq(push(&w, PUSH_DELETE, "/k", ""), ERR_NONE);
		ck_assert_uint_eq(store_counts(w.store).groups, 0);
	}
	teardown(&w);
}
END_TEST

/* A push would be told so; what was wrong with it is still wrong. */
START_TEST(a_dry_run_while_the_database_takes_nothing)
{
	struct world w;

	setup(&w, true);
	w.rows.refuse = true;
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", "a 1\n"), ERR_STORAGE);
	ck_assert_int_eq(dry_run(&w, PUSH_PUT, "/j", "a 1\n"), ERR_STORAGE);
	ck_assert_int_eq(dry_run(&w, PUSH_PUT, "/j", "a 1 1\n"), ERR_INVALID);
	ck_assert_uint_eq(committer_stats(w.committer).commit_failures, 1);
	teardown(&w);
}
END_TEST

/* Small pushes, each made when the one before has been answered, while there is a large one. On the
 * committer's thread. */
struct chain {
	struct queue *queue;
	unsigned n;      /* were answered */
	unsigned before; /* of them, before the large one was */
	bool is_over, adds;
	enum err_reason reason; /* of the large one */
	sem_t over;
};

static void next_of_chain(struct push *answered);

static void push_small(struct chain *ch)
{
	struct push *push = make_push(PUSH_PUT, "/small",
				      ch->adds && ch->n % 2 ? "s 1\nt 1\n" : "s 1\n", 1);

	push->done = next_of_chain;
	push->done_arg = ch;
	ck_assert_int_eq(queue_push(ch->queue, &push->node), QUEUE_OK);
}

static void next_of_chain(struct push *answered)
{
	struct chain *ch = answered->done_arg;

	ck_assert_int_eq(answered->err.reason, ERR_NONE);
	push_free(answered);
	ch->n++;
	if (ch->is_over)
		sem_post(&ch->over);
	else
		push_small(ch);
}

static void end_of_chain(struct push *large)
{
	struct chain *ch = large->done_arg;

	ch->reason = large->err.reason;
	ch->before = ch->n;
	ch->is_over = true;
	push_free(large);
}

/* What it has then: the same, all of it new, and each family of another type than before. */
static const struct {
	const char *type;
	bool adds, dry_run;
} large_ones[] = { { "gauge", true, true },
		   { "gauge", true, false },
		   { "gauge", true, false },
		   { "counter", false, true },
		   { "counter", false, false } };

/* Counted, not timed: others have their turn again and again before it has its verdict. */
START_TEST(others_are_answered_while_a_large_push_is_staged)
{
	enum { FAMILIES = 20000, TURNS = 20 };
	struct world w;

	setup(&w, _i);
	for (size_t i = 0; i < ARRAY_LEN(large_ones); i++) {
		CLEANUP(strbuf_done) struct strbuf body = { 0 };
		struct chain ch = { .queue = &w.queue, .adds = large_ones[i].adds };

		for (unsigned k = 0; k < FAMILIES; k++)
			strbuf_addf(&body, "# TYPE f%u %s\nf%u 1\n", k, large_ones[i].type, k);
		struct push *large = make_push(PUSH_PUT, "/large", strbuf_z(&body), 1);

		large->done = end_of_chain;
		large->done_arg = &ch;
		large->dry_run = large_ones[i].dry_run;
		sem_init(&ch.over, 0, 0);
		ck_assert_int_eq(queue_push(&w.queue, &large->node), QUEUE_OK);
		push_small(&ch);
		queue_wake(&w.queue);
		while (sem_wait(&ch.over) != 0)
			;
		sem_destroy(&ch.over);
		ck_assert_int_eq(ch.reason, ERR_NONE);
		ck_assert_uint_ge(ch.before, TURNS);
	}
	ck_assert_uint_eq(store_counts(w.store).groups, 2);
	teardown(&w);
}
END_TEST

/* In the order queued, whatever shares a batch. */
START_TEST(wipes)
{
	struct verdict v[5];
	struct world w;

	setup(&w, _i);
	submit(&w, &v[0], PUSH_PUT, "/j", "a 1\n");
	submit(&w, &v[1], PUSH_PUT, "/k", "a 1\n");
	submit(&w, &v[2], PUSH_WIPE, "/j", "");
	submit(&w, &v[3], PUSH_PUT, "/l", "# TYPE a gauge\na 1\n");
	submit(&w, &v[4], PUSH_PUT, "/j/instance/", "");
	queue_wake(&w.queue);
	for (unsigned i = 0; i < ARRAY_LEN(v); i++)
		ck_assert_int_eq(wait_for(&v[i]), 0);
	ck_assert_uint_eq(store_counts(w.store).groups, 2);
	ck_assert_uint_eq(mem_storage_count(&w.rows, ROW_WIPE), _i ? 1 : 0);
	CLEANUP(freep) char *got = exposed_pushed(w.store);

	ck_assert_str_eq(got, "# TYPE a gauge\na{instance=\"\",job=\"l\"} 1\n");
	w.rows.refuse = true;
	ck_assert_int_eq(push(&w, PUSH_WIPE, "/j", ""), _i ? ERR_STORAGE : ERR_NONE);
	ck_assert_uint_eq(store_counts(w.store).groups, _i ? 2 : 0);
	teardown(&w);
}
END_TEST

/* Also without another push, since who is told keeps away. A push that is wrong by itself tells
 * nothing. */
START_TEST(a_database_that_takes_nothing_is_asked_again)
{
	const struct timespec ms = { 0, 1000000 };
	struct err why = { 0 };
	struct world w;

	setup(&w, true);
	ck_assert(!committer_fails(w.committer, &why));
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", "a 1 1\n"), ERR_INVALID);
	ck_assert(!committer_fails(w.committer, &why));
	w.rows.refuse = true;
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", "a 2\n"), ERR_STORAGE);
	ck_assert(committer_fails(w.committer, &why));
	ck_assert_int_eq(why.reason, ERR_STORAGE);
	ck_assert_str_ne(why.msg, "");
	w.rows.refuse = false;
	while (committer_fails(w.committer, &why))
		nanosleep(&ms, NULL);
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", "a 2\n"), 0);
	ck_assert(!committer_fails(w.committer, &why));
	teardown(&w);
}
END_TEST

/* More than one batch takes, and nobody wakes the committer for the last of them. */
START_TEST(stop_drains)
{
	enum { N = 1500 };
	struct verdict *v = calloc(N, sizeof(*v));
	struct world w;

	ck_assert_ptr_nonnull(v);
	setup(&w, true);
	for (unsigned i = 0; i < N; i++) {
		char path[20];

		snprintf(path, sizeof(path), "/j/g/%u", i % 700);
		submit(&w, &v[i], PUSH_PUT, path, "a 1\n");
	}
	committer_stop(w.committer);
	for (unsigned i = 0; i < N; i++) {
		ck_assert_int_eq(sem_trywait(&v[i].there), 0);
		ck_assert_int_eq(v[i].reason, ERR_NONE);
		sem_destroy(&v[i].there);
	}
	ck_assert_uint_eq(mem_storage_count(&w.rows, ROW_GROUP), 700);
	ck_assert_uint_eq(store_counts(w.store).groups, 700);
	w.committer = NULL;
	teardown(&w);
	free(v);
}
END_TEST

START_TEST(stopped_is_closed)
{
	struct push *late = make_push(PUSH_PUT, "/j", "a 1\n", 1);
	struct world w;

	setup(&w, false);
	committer_stop(w.committer);
	ck_assert_int_eq(queue_push(&w.queue, &late->node), QUEUE_CLOSED);
	push_free(late);
	w.committer = NULL;
	teardown(&w);
}
END_TEST

/* One row that no transaction takes fails its own push, and is no one else's trouble. */
START_TEST(one_that_cannot_be_stored)
{
	struct verdict v[6];
	CLEANUP(strbuf_done) struct strbuf big = { 0 };
	struct world w;

	strbuf_addf(&big, "# TYPE a gauge\na{x=\"%01000d\"} 1\n", 0);
	setup(&w, true);
	w.rows.too_long = 500;
	for (int i = 0; i < 2; i++) {
		submit(&w, &v[0], PUSH_PUT, "/j", "b 1\n");
		submit(&w, &v[1], PUSH_PUT, "/k", strbuf_z(&big));
		/* It contradicts the one that is not stored. */
		submit_as(&w, &v[2], true, PUSH_PUT, "/l", "# TYPE a counter\na 1\n");
		submit(&w, &v[3], PUSH_PUT, "/m", "b 1 1\n");
		submit(&w, &v[4], PUSH_DELETE, "/l", "");
		submit(&w, &v[5], PUSH_PUT, "/n", "b 1\n");
		queue_wake(&w.queue);
		ck_assert_int_eq(wait_for(&v[0]), ERR_NONE);
		ck_assert_int_eq(wait_for(&v[1]), ERR_STORAGE);
		ck_assert_int_eq(wait_for(&v[2]), ERR_NONE);
		ck_assert_int_eq(wait_for(&v[3]), ERR_INVALID);
		ck_assert_int_eq(wait_for(&v[4]), ERR_NONE);
		ck_assert_int_eq(wait_for(&v[5]), ERR_NONE);
	}
	ck_assert_uint_eq(store_counts(w.store).groups, 3);
	teardown(&w);
}
END_TEST

/* That it is too much is known before. */
START_TEST(one_that_is_too_large)
{
	CLEANUP(strbuf_done) struct strbuf big = { 0 };
	struct world w;

	strbuf_addf(&big, "a{x=\"%01000d\"} 1\n", 0);
	setup(&w, true);
	w.rows.base.max_body = 500;
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", "b 1\n"), ERR_NONE);
	ck_assert_int_eq(push(&w, PUSH_PUT, "/j", strbuf_z(&big)), ERR_TOO_LARGE);
	ck_assert_uint_eq(mem_storage_count(&w.rows, ROW_FAILED), 0);
	CLEANUP(freep) char *got = exposed_pushed(w.store);

	ck_assert_str_eq(got, "# TYPE b untyped\nb{instance=\"\",job=\"j\"} 1\n");
	teardown(&w);
}
END_TEST

static void check_reloaded(struct world *w)
{
	struct store *again = store_new(&(struct store_limits){ 1000, 100000 });
	CLEANUP(freep) char *want = exposed_pushed(w->store);
	struct err err = { 0 };

	ck_assert_msg(load_store(&w->rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	CLEANUP(freep) char *got = exposed_pushed(again);

	ck_assert_str_eq(got, want);
	store_free(again);
}

/* Of 100 kB. */
static void add_large_body(struct strbuf *body)
{
	for (int i = 0; i < 20; i++)
		strbuf_addf(body, "a{x=\"%05000d\"} 1\n", i);
}

/*
 * Pushes of 100 kB to so many groups in turn. Of one group all but the last 2 MiB or so go while
 * there is always a next push. 80 pushes to twenty are no reason to: not before it is quiet.
 */
static const struct {
	unsigned groups, pushes, most;
} shortened[] = { { 1, 60, 27 }, { 20, 80, 79 } };

START_TEST(log_is_shortened)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct world w;

	add_large_body(&body);
	setup(&w, true);
	for (unsigned i = 0; i < shortened[_i].pushes; i++) {
		char path[40];

		snprintf(path, sizeof(path), "/j/g/%u", i % shortened[_i].groups);
		ck_assert_int_eq(push(&w, PUSH_PUT, path, strbuf_z(&body)), 0);
	}
	while (w.rows.trims == 0)
		sched_yield();
	committer_stop(w.committer);
	w.committer = NULL;
	size_t n = mem_storage_count(&w.rows, ROW_RECORD) + mem_storage_count(&w.rows, ROW_WHOLE);

	ck_assert_uint_ge(n, shortened[_i].groups);
	ck_assert_uint_le(n, shortened[_i].most);
	check_reloaded(&w);
	teardown(&w);
}
END_TEST

/* Also when nothing comes. What has to go is behind much that has to stay. */
START_TEST(log_is_shortened_at_start)
{
	enum { LIVE = 30, PUSHES = 60 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct world w;
	struct err err;

	add_large_body(&body);
	setup(&w, true);
	w.rows.refuse_trim = true;
	for (unsigned i = 0; i < LIVE + PUSHES; i++) {
		char path[40];

		snprintf(path, sizeof(path), "/j/g/%u", i < LIVE ? i : 0);
		ck_assert_int_eq(push(&w, PUSH_PUT, path, strbuf_z(&body)), 0);
	}
	committer_stop(w.committer);
	queue_done(&w.queue);
	store_free(w.store);
	w.rows.refuse_trim = false;
	queue_init(&w.queue, 10, 100);
	w.store = store_new(&(struct store_limits){ 1000, 100000 });
	ck_assert_int_eq(load_store(&w.rows.base, w.store, &err), STORAGE_LOADED);
	w.committer = committer_start(&w.queue, w.store, &w.rows.base, NULL, &err);
	/* Each step looks at three rows. */
	while (w.rows.trims < LIVE / 3 + 2)
		sched_yield();
	committer_stop(w.committer);
	w.committer = NULL;
	ck_assert_uint_lt(mem_storage_count(&w.rows, ROW_RECORD) +
				  mem_storage_count(&w.rows, ROW_WHOLE),
			  LIVE + PUSHES - 2);
	check_reloaded(&w);
	teardown(&w);
}
END_TEST

/* Rows that cannot be moved are no reason to refuse a push. */
START_TEST(log_cannot_be_shortened)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct world w;

	add_large_body(&body);
	setup(&w, true);
	w.rows.refuse_trim = true;
	for (unsigned i = 0; i < 60; i++)
		ck_assert_int_eq(push(&w, PUSH_PUT, "/j", strbuf_z(&body)), 0);
	ck_assert_uint_eq(w.rows.trims, 0);
	ck_assert_uint_gt(committer_stats(w.committer).commits, 60); /* it has been tried */
	ck_assert_uint_eq(committer_stats(w.committer).commit_failures, 0);
	w.rows.refuse_trim = false;
	while (w.rows.trims == 0)
		ck_assert_int_eq(push(&w, PUSH_PUT, "/j", strbuf_z(&body)), 0);
	committer_stop(w.committer);
	w.committer = NULL;
	teardown(&w);
}
END_TEST

/* Nothing is cleaned, which would be a commit too. */
static int nothing_is_old(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
			  struct err *err)
{
	(void)st;
	(void)bytes;
	(void)cleaner;
	return err_set(err, ERR_STORAGE, 0, "nothing is cleaned here");
}

static void commit_by(struct world *w, enum storage_commit_result (*commit)(struct storage *st,
									    const struct rows *rows,
									    struct err *err))
{
	w->ops = *w->rows.base.ops;
	w->ops.commit = commit;
	w->ops.oldest = nothing_is_old;
	w->rows.base.ops = &w->ops;
}

enum {
	SLOW_NS = 20 * 1000 * 1000,  /* a commit on a slow disk */
	GATHER_NS = 5 * 1000 * 1000, /* the longest that the committer waits for the answered */
};

/* From the last answer to the beginning of each commit of an attempt. */
static int64_t waited_ns[3];
static size_t n_commits;
/* Until then a slow commit does not end, however slow the thread is that submits them. */
static atomic_bool others_wait;

static enum storage_commit_result commit_noted(struct storage *st, const struct rows *rows,
					       struct err *err)
{
	(void)st;
	(void)rows;
	(void)err;
	if (n_commits < ARRAY_LEN(waited_ns))
		waited_ns[n_commits] = clock_mono_ns() - answered_ns;
	n_commits++;
	return 0;
}

static enum storage_commit_result commit_slowly(struct storage *st, const struct rows *rows,
						struct err *err)
{
	struct timespec left = { .tv_nsec = SLOW_NS };

	commit_noted(st, rows, err);
	while (nanosleep(&left, &left) != 0)
		;
	while (!others_wait)
		sched_yield();
	return 0;
}

/* One push is being committed, two more wait for the next batch. */
static void answer_one_of_three(struct world *w, struct verdict v[3])
{
	n_commits = 0;
	others_wait = false;
	submit(w, &v[0], PUSH_PUT, "/j", "a 1\n");
	queue_wake(&w->queue);
	while (queue_depth(&w->queue) > 0)
		sched_yield();
	submit(w, &v[1], PUSH_PUT, "/k", "a 1\n");
	submit(w, &v[2], PUSH_PUT, "/l", "a 1\n");
	queue_wake(&w->queue);
	others_wait = true;
	ck_assert_int_eq(wait_for(&v[0]), 0);
}

/* The client that is answered pushes again. */
static bool share_a_batch(struct world *w)
{
	struct verdict v[4];

	answer_one_of_three(w, v);
	submit(w, &v[3], PUSH_PUT, "/j", "a 2\n");
	queue_wake(&w->queue);
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(wait_for(&v[i]), 0);
	return n_commits == 2;
}

/*
 * This thread may be too slow for the five milliseconds, then the next batch goes without its push;
 * but never before they are over.
 */
START_TEST(waits_for_the_answered)
{
	unsigned shared = 0;
	struct world w;

	setup(&w, true);
	commit_by(&w, commit_slowly);
	for (int i = 0; i < 200 && shared < 3; i++) {
		if (share_a_batch(&w)) {
			shared++;
			continue;
		}
		ck_assert_uint_eq(n_commits, 3);
		ck_assert_int_ge(waited_ns[1], GATHER_NS);
	}
	ck_assert_uint_eq(shared, 3);
	teardown(&w);
}
END_TEST

/* Not less, and not for much longer: the shortest of many, as this thread may be held up. */
START_TEST(waits_5_ms_when_nobody_comes)
{
	int64_t shortest = INT64_MAX;
	struct verdict v[3];
	struct world w;

	for (int i = 0; i < 50 && shortest > 2LL * GATHER_NS; i++) {
		setup(&w, true);
		commit_by(&w, commit_slowly);
		answer_one_of_three(&w, v);
		ck_assert_int_eq(wait_for(&v[1]), 0);
		ck_assert_int_eq(wait_for(&v[2]), 0);
		ck_assert_uint_eq(n_commits, 2);
		ck_assert_int_ge(waited_ns[1], GATHER_NS);
		if (waited_ns[1] < shortest)
			shortest = waited_ns[1];
		teardown(&w);
	}
	ck_assert_int_le(shortest, 2LL * GATHER_NS);
}
END_TEST

/* The shortest of many: this thread is often held up itself. */
START_TEST(does_not_wait_on_a_fast_disk)
{
	int64_t shortest = INT64_MAX;
	struct verdict v[3];
	struct world w;

	setup(&w, true);
	commit_by(&w, commit_noted);
	for (int i = 0; i < 5000 && shortest > GATHER_NS / 5; i++) {
		answer_one_of_three(&w, v);
		ck_assert_int_eq(wait_for(&v[1]), 0);
		ck_assert_int_eq(wait_for(&v[2]), 0);
		if (n_commits > 1 && waited_ns[1] < shortest)
			shortest = waited_ns[1];
	}
	ck_assert_int_le(shortest, GATHER_NS / 5);
	teardown(&w);
}
END_TEST

/* A disk that hangs. */
static sem_t hangs, goes_on;

static enum storage_commit_result commit_after(struct storage *st, const struct rows *rows,
					       struct err *err)
{
	(void)st;
	(void)rows;
	(void)err;
	sem_post(&hangs);
	while (sem_wait(&goes_on) != 0)
		;
	return 0;
}

static void wait_for_beat(struct committer *c)
{
	while (!committer_beats(c))
		sched_yield();
}

/* Until a commit hangs. What had ended before that is taken. */
static void hang(struct world *w)
{
	while (sem_wait(&hangs) != 0)
		;
	committer_beats(w->committer);
}

START_TEST(beats)
{
	enum { OFTEN = 20 };
	struct verdict v[2];
	struct world w;

	setup(&w, true);
	commit_by(&w, commit_after);
	sem_init(&hangs, 0, 0);
	sem_init(&goes_on, 0, 0);
	/* More often than anything can have ended: an idle one does so for ever. */
	for (int i = 0; i < OFTEN; i++)
		wait_for_beat(w.committer);
	submit(&w, &v[0], PUSH_PUT, "/j", "a 1\n");
	queue_wake(&w.queue);
	hang(&w);
	submit(&w, &v[1], PUSH_PUT, "/k", "a 1\n");
	ck_assert(!committer_beats(w.committer));
	ck_assert(!committer_beats(w.committer));
	sem_post(&goes_on);
	wait_for_beat(w.committer); /* one batch has ended, the next one hangs */
	hang(&w);
	ck_assert(!committer_beats(w.committer));
	sem_post(&goes_on);
	ck_assert_int_eq(wait_for(&v[0]) | wait_for(&v[1]), 0);
	for (int i = 0; i < OFTEN; i++)
		wait_for_beat(w.committer);
	teardown(&w);
	sem_destroy(&hangs);
	sem_destroy(&goes_on);
}
END_TEST

enum { PRODUCERS = 4, ROUNDS = 150 };

struct pusher {
	struct world *w;
	unsigned which;
	unsigned accepted, failed;
	unsigned last; /* the round of the last push that was accepted; 0: none */
};

static bool shows(struct store *s, const char *line)
{
	CLEANUP(freep) char *text = exposed_pushed(s);

	return strstr(text, line) != NULL;
}

/* An accepted push is in the next scrape; one that was not stored is not. */
static void *pusher_main(void *arg)
{
	struct pusher *p = arg;

	for (unsigned round = 1; round <= ROUNDS; round++) {
		char path[40], body[200], line[80];

		snprintf(path, sizeof(path), "/j/g/%u", p->which);
		snprintf(body, sizeof(body), "a %u\nb %u\nc{x=\"1\"} %u\nc{x=\"2\"} %u\n", round,
			 round, round, round);
		enum err_reason reason = push(p->w, round % 3 ? PUSH_PUT : PUSH_POST, path, body);

		ck_assert(reason == ERR_NONE || reason == ERR_STORAGE);
		if (reason == ERR_NONE) {
			p->last = round;
			p->accepted++;
		} else {
			p->failed++;
		}
		snprintf(line, sizeof(line), "a{g=\"%u\",instance=\"\",job=\"j\"} %u\n", p->which,
			 p->last);
		ck_assert_msg(p->last == 0 || shows(p->w->store, line), "%s is not there", line);
	}
	return NULL;
}

struct reader {
	struct world *w;
	atomic_bool stop;
	unsigned scrapes;
};

/* The values that a group has in the families a, b and c. */
static void note_values(const char *text, unsigned values[PRODUCERS][4], unsigned counts[PRODUCERS])
{
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		const char *g = strstr(line, "{g=\""), *end = strchr(line, '\n');
		const char *value = g ? strstr(g, "} ") : NULL;

		if (!value || value > end)
			continue;
		unsigned which = (unsigned)(g[4] - '0');

		ck_assert(which < PRODUCERS && counts[which] < 4);
		values[which][counts[which]++] = (unsigned)strtoul(value + 2, NULL, 10);
	}
}

/* Every copy of a group is whole, too. */
static void copy_all(struct store *s)
{
	CLEANUP(arena_done) struct arena a;
	struct group_copy c;
	uint32_t cursor = 0;

	arena_init(&a, 1 << 20);
	while (store_copy_group(s, &cursor, &a, &c) == 1) {
		ck_assert(c.n_families == 0 || c.n_families == 3);
		for (uint32_t i = 0; i < c.n_families; i++) {
			ck_assert(c.families[i].text.n > 0);
			ck_assert(c.families[i].pushed_at == c.families[0].pushed_at);
		}
	}
}

/* Every scrape shows all of a push or nothing of it. */
static void *reader_main(void *arg)
{
	struct reader *r = arg;

	while (!r->stop) {
		unsigned values[PRODUCERS][4] = { 0 }, counts[PRODUCERS] = { 0 };
		CLEANUP(freep) char *text = exposed_pushed(r->w->store);

		note_values(text, values, counts);
		for (unsigned g = 0; g < PRODUCERS; g++) {
			ck_assert(counts[g] == 0 || counts[g] == 4);
			for (unsigned i = 1; i < counts[g]; i++)
				ck_assert_msg(values[g][i] == values[g][0], "half a push:\n%s",
					      text);
		}
		copy_all(r->w->store);
		snapshot_free(store_snapshot(
			r->w->store,
			&(const struct snapshot_wants){ .slots = SLOTS_LOSSY, .form = 1 }));
		store_counts(r->w->store);
		committer_stats(r->w->committer);
		r->scrapes++;
	}
	return NULL;
}

/* Makes commits fail now and then. */
static void *saboteur_main(void *arg)
{
	struct reader *r = arg;

	while (!r->stop)
		r->w->rows.refuse = !r->w->rows.refuse;
	r->w->rows.refuse = false;
	return NULL;
}

START_TEST(many_threads)
{
	struct pusher pushers[PRODUCERS] = { 0 };
	struct reader reader = { 0 };
	pthread_t threads[PRODUCERS], scraper, saboteur;
	unsigned accepted = 0;
	struct world w;

	setup(&w, true);
	reader.w = &w;
	ck_assert_int_eq(pthread_create(&scraper, NULL, reader_main, &reader), 0);
	if (_i)
		ck_assert_int_eq(pthread_create(&saboteur, NULL, saboteur_main, &reader), 0);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		pushers[i].w = &w;
		pushers[i].which = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, pusher_main, &pushers[i]), 0);
	}
	for (unsigned i = 0; i < PRODUCERS; i++) {
		pthread_join(threads[i], NULL);
		accepted += pushers[i].accepted;
		ck_assert_uint_eq(pushers[i].accepted + pushers[i].failed, ROUNDS);
	}
	reader.stop = true;
	pthread_join(scraper, NULL);
	if (_i)
		pthread_join(saboteur, NULL);
	ck_assert(_i || accepted == PRODUCERS * ROUNDS);
	ck_assert_uint_gt(reader.scrapes, 0);
	committer_stop(w.committer);
	w.committer = NULL;
	check_reloaded(&w);
	teardown(&w);
	ck_assert_uint_eq(bytes_detached(), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("committer");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_push_of_each_kind_is_answered, 0, 2);
	tcase_add_test(tc, failed_commits);
	tcase_add_loop_test(tc, a_dry_run_leaves_nothing_behind, 0, 2);
	tcase_add_loop_test(tc, nobody_sees_a_dry_run, 0, 2);
	tcase_add_test(tc, a_dry_run_while_the_database_takes_nothing);
	tcase_add_test(tc, one_that_cannot_be_stored);
	tcase_add_test(tc, one_that_is_too_large);
	tcase_add_loop_test(tc, others_are_answered_while_a_large_push_is_staged, 0, 2);
	tcase_add_loop_test(tc, wipes, 0, 2);
	tcase_add_test(tc, stop_drains);
	tcase_add_loop_test(tc, log_is_shortened, 0, (int)ARRAY_LEN(shortened));
	tcase_add_test(tc, log_is_shortened_at_start);
	tcase_add_test(tc, log_cannot_be_shortened);
	tcase_add_test(tc, waits_for_the_answered);
	tcase_add_test(tc, waits_5_ms_when_nobody_comes);
	tcase_add_test(tc, does_not_wait_on_a_fast_disk);
	tcase_add_test(tc, beats);
	tcase_add_test(tc, a_database_that_takes_nothing_is_asked_again);
	tcase_add_test(tc, stopped_is_closed);
	tcase_add_loop_test(tc, many_threads, 0, 2);
	return run_cases("committer", tc);
}
