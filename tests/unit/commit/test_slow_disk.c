/*
 * Commits that take long: how long the committer waits for the clients it has answered, and what a
 * watchdog is told of a disk that hangs.
 */
#include <check.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "commit/committer.h"
#include "lib/run.h"
#include "unit/commit/committer_world.h"

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

int main(void)
{
	TCase *tc = tcase_create("slow_disk");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, waits_for_the_answered);
	tcase_add_test(tc, waits_5_ms_when_nobody_comes);
	tcase_add_test(tc, does_not_wait_on_a_fast_disk);
	tcase_add_test(tc, beats);
	return run_cases("slow_disk", tc);
}
