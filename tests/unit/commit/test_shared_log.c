/*
 * A log that others write, too: what comes while they have its lock is committed with what waits
 * for it.
 */
#include <check.h>
#include <semaphore.h>
#include <stdio.h>

#include "commit/committer.h"
#include "commit/late.h"
#include "lib/run.h"
#include "unit/commit/committer_world.h"

/* Someone else's, until the test lets it go. */
static sem_t asked, is_free;
static atomic_bool fails;
/* How often the lock was taken while a removal of many groups was pending in the store. */
static struct store *removes;
static atomic_uint begun_beside;

static int begin(struct storage *st, const struct storage_follower *f, int64_t *deadline,
		 double *ret_now, struct err *err)
{
	(void)st;
	(void)f;
	*deadline += 1; /* which the wait has taken */
	*ret_now = clock_wall();
	sem_post(&asked);
	while (sem_wait(&is_free) != 0)
		;
	begun_beside += store_removal_pending(removes);
	return fails ? err_set(err, ERR_STORAGE, 0, "nobody has the lock") : 0;
}

static void cancel(struct storage *st)
{
	(void)st;
}

static int follow(struct storage *st, const struct storage_follower *f, struct err *err)
{
	(void)st;
	(void)f;
	(void)err;
	return 0;
}

static bool digest_due(struct storage *st)
{
	(void)st;
	return false;
}

static struct storage_row_id seen(struct storage *st)
{
	(void)st;
	return (struct storage_row_id){ 0 };
}

static void setup_shared(struct world *w)
{
	struct err err;

	log_init(LOG_ERROR + 1, LOG_LOGFMT);
	sem_init(&asked, 0, 0);
	sem_init(&is_free, 0, 0);
	fails = false;
	begun_beside = 0;
	queue_init(&w->queue, 10000, 100 << 20);
	removes = w->store = store_new(&(struct store_limits){ 1000, 100000 });
	mem_storage_init(&w->rows);
	w->ops = *w->rows.base.ops;
	w->ops.begin = begin;
	w->ops.cancel = cancel;
	w->ops.follow = follow;
	w->ops.digest_due = digest_due;
	w->ops.seen = seen;
	w->rows.base.ops = &w->ops;
	w->rows.base.poll_ns = w->rows.base.timeout_ns = INT64_C(3600) * 1000000000;
	w->committer = committer_start(&w->queue, w->store, &w->rows.base, batch_done, &err);
	ck_assert_ptr_nonnull(w->committer);
}

static void teardown_shared(struct world *w)
{
	teardown(w);
	sem_destroy(&asked);
	sem_destroy(&is_free);
}

/* The committer asks for the lock for this one, and waits. */
static void first_waits(struct world *w, struct verdict *v)
{
	submit(w, v, PUSH_PUT, "/first", "a 1\n");
	queue_wake(&w->queue);
	while (sem_wait(&asked) != 0)
		;
}

START_TEST(batches_grow_with_the_wait)
{
	enum { N = 700, BATCH_MAX = 512 };
	static struct verdict v[N];
	struct world w;

	setup_shared(&w);
	first_waits(&w, &v[0]);
	for (unsigned i = 1; i < N; i++) {
		char path[20];

		snprintf(path, sizeof(path), "/j/g/%u", i);
		submit(&w, &v[i], PUSH_PUT, path, "a 1\n");
	}
	sem_post(&is_free);
	for (unsigned i = 0; i < BATCH_MAX; i++)
		ck_assert_int_eq(wait_for(&v[i]), 0);
	ck_assert_uint_eq(committer_stats(w.committer).commits, 1);
	sem_post(&is_free);
	for (unsigned i = BATCH_MAX; i < N; i++)
		ck_assert_int_eq(wait_for(&v[i]), 0);
	ck_assert_uint_eq(committer_stats(w.committer).commits, 2);
	ck_assert_uint_eq(store_counts(w.store).groups, N);
	check_reloaded(&w);
	teardown_shared(&w);
}
END_TEST

static void submit_series(struct world *w, struct verdict *v, const char *path, unsigned n,
			  size_t bytes)
{
	char body[8192];
	size_t at = 0;

	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(body + at, sizeof(body) - at, "a{i=\"%0*u\"} 1\n",
				       (int)(bytes / n), i);
	submit(w, v, PUSH_PUT, path, body);
}

/* Of one push there may be 40 in a millisecond, or 8,388 bytes. */
START_TEST(a_batch_is_as_long_as_a_push_may_be)
{
	static const struct {
		unsigned n, series;
		size_t bytes;
		unsigned commits;
	} cases[] = { { 7, 15, 15, 4 }, { 8, 1, 3000, 4 }, { 8, 5, 5, 2 } };
	static struct verdict v[9];
	struct world w;

	setup_shared(&w);
	w.rows.base.timeout_ns = 1000000;
	first_waits(&w, &v[0]);
	for (unsigned i = 1; i <= cases[_i].n; i++) {
		char path[20];

		snprintf(path, sizeof(path), "/j/g/%u", i);
		submit_series(&w, &v[i], path, cases[_i].series, cases[_i].bytes);
	}
	for (unsigned i = 0; i < cases[_i].commits; i++)
		sem_post(&is_free);
	for (unsigned i = 0; i <= cases[_i].n; i++)
		ck_assert_int_eq(wait_for(&v[i]), 0);
	ck_assert_uint_eq(committer_stats(w.committer).commits, cases[_i].commits);
	check_reloaded(&w);
	teardown_shared(&w);
}
END_TEST

/* What ends a batch, and what is behind it: of the groups after the wipe. */
START_TEST(what_cannot_join_comes_next)
{
	struct verdict joins, only_asks, behind, wipes, after;
	struct world w;
	struct verdict v;

	setup_shared(&w);
	first_waits(&w, &v);
	submit(&w, &joins, PUSH_PUT, "/joins", "a 1\n");
	submit_as(&w, &only_asks, true, PUSH_PUT, "/first", "# TYPE a gauge\na 1\n");
	submit(&w, &behind, PUSH_PUT, "/behind", "a 1\n");
	submit(&w, &wipes, PUSH_WIPE, "/j", "");
	submit(&w, &after, PUSH_PUT, "/after", "a 1\n");
	sem_post(&is_free);
	ck_assert_int_eq(wait_for(&v), 0);
	ck_assert_int_eq(wait_for(&joins), 0);
	ck_assert_uint_eq(committer_stats(w.committer).commits, 1);
	/* It sees what was committed before it. */
	ck_assert_int_eq(wait_for(&only_asks), ERR_INVALID);
	for (int i = 0; i < 3; i++)
		sem_post(&is_free);
	ck_assert_int_eq(wait_for(&behind), 0);
	ck_assert_int_eq(wait_for(&wipes), 0);
	ck_assert_int_eq(wait_for(&after), 0);
	ck_assert_uint_eq(store_counts(w.store).groups, 1);
	ck_assert_uint_eq(committer_stats(w.committer).commits, 4);
	check_reloaded(&w);
	teardown_shared(&w);
}
END_TEST

static atomic_uint outdates;
static enum storage_commit_result (*commit_at_once)(struct storage *st, const struct rows *list,
						    struct err *err);

/* Others have written, the first times. */
static enum storage_commit_result commit_later(struct storage *st, const struct rows *list,
					       struct err *err)
{
	if (outdates == 0)
		return commit_at_once(st, list, err);
	outdates--;
	err_set(err, ERR_STORAGE, 0, "others have written");
	return STORAGE_REFUSED_OUTDATED;
}

/* It is staged four times in all, by the time of each begin. */
START_TEST(what_others_outdate_is_staged_again)
{
	static const enum push_mode modes[] = { PUSH_PUT, PUSH_WIPE };
	struct verdict v;
	struct world w;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		setup_shared(&w);
		commit_at_once = w.ops.commit;
		w.ops.commit = commit_later;
		outdates = (unsigned)_i;
		for (int n = 0; n <= _i; n++)
			sem_post(&is_free);
		submit(&w, &v, modes[i], "/j", modes[i] == PUSH_PUT ? "a 1\n" : "");
		queue_wake(&w.queue);
		ck_assert_int_eq(wait_for(&v), _i < 4 ? 0 : ERR_STORAGE);
		ck_assert_uint_eq(committer_stats(w.committer).commit_failures, _i == 4);
		ck_assert_uint_eq(committer_stats(w.committer).batches_committed, _i < 4);
		ck_assert_uint_eq(store_counts(w.store).groups, _i < 4 && modes[i] == PUSH_PUT);
		check_reloaded(&w);
		teardown_shared(&w);
	}
}
END_TEST

/* What waits in the queue has a time-out of its own. */
START_TEST(without_the_lock_only_those_who_waited_are_refused)
{
	struct verdict first, second;
	struct world w;

	setup_shared(&w);
	first_waits(&w, &first);
	submit(&w, &second, PUSH_PUT, "/second", "a 1\n");
	fails = true;
	sem_post(&is_free);
	ck_assert_int_eq(wait_for(&first), ERR_STORAGE);
	fails = false;
	sem_post(&is_free);
	ck_assert_int_eq(wait_for(&second), 0);
	ck_assert_uint_eq(store_counts(w.store).groups, 1);
	teardown_shared(&w);
}
END_TEST

static void followed(struct push *push)
{
	sem_post(push->done_arg);
}

/* Behind a wipe that waits for a large push everything has to wait, also who only reads. */
START_TEST(what_follows_waits_behind_a_wipe)
{
	struct push follow = { .node.urgent = true, .mode = PUSH_FOLLOW, .done = followed };
	struct verdict first, large, wipes, after;
	struct world w;
	sem_t told_follow;

	late_families = 2;
	setup_shared(&w);
	sem_init(&told_follow, 0, 0);
	follow.done_arg = &told_follow;
	first_waits(&w, &first);
	submit(&w, &large, PUSH_PUT, "/large", "a 1\nb 1\n");
	submit(&w, &wipes, PUSH_WIPE, "/j", "");
	ck_assert_int_eq(queue_push(&w.queue, &follow.node), QUEUE_OK);
	submit(&w, &after, PUSH_PUT, "/after", "a 1\n");
	for (int i = 0; i < 10; i++)
		sem_post(&is_free);
	ck_assert_int_eq(wait_for(&first), 0);
	ck_assert_int_eq(wait_for(&large), 0);
	ck_assert_int_eq(wait_for(&wipes), 0);
	while (sem_wait(&told_follow) != 0)
		;
	ck_assert_int_eq(wait_for(&after), 0);
	ck_assert_int_eq(follow.err.reason, 0);
	ck_assert_uint_eq(store_counts(w.store).groups, 1);
	check_reloaded(&w);
	sem_destroy(&told_follow);
	teardown_shared(&w);
	late_families = LATE_FAMILIES;
}
END_TEST

static int wants_all(void *arg, const struct removal_group *g, struct err *err)
{
	(void)arg;
	(void)g;
	(void)err;
	return 1;
}

static void goes(void *arg, const struct removal_group *g)
{
	++*(unsigned *)arg;
	(void)g;
}

enum { MANY = 900 };

static void push_many(struct world *w)
{
	static struct verdict each[MANY];

	for (int i = 0; i < MANY; i++) {
		char path[16];

		sem_post(&is_free);
		snprintf(path, sizeof(path), "/g%d", i);
		submit(w, &each[i], PUSH_PUT, path, "a 1\n");
	}
	queue_wake(&w->queue);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(wait_for(&each[i]), 0);
	while (sem_trywait(&is_free) == 0)
		;
	while (sem_trywait(&asked) == 0)
		;
}

/*
 * They do not wait until all groups are gone, and none of these is in the way of any, as it would
 * not be on another gateway.
 */
START_TEST(pushes_come_beside_a_removal)
{
	unsigned n = 0;
	struct removal removal = { .wants = wants_all, .goes = goes, .arg = &n };
	struct push remove = { .mode = PUSH_REMOVE, .removal = &removal, .done = followed };
	const char *body = _i ? "# TYPE a counter\na 1\n" : "a 1\n";
	struct verdict first, again, other;
	struct world w;
	sem_t told_remove;

	setup_shared(&w);
	sem_init(&told_remove, 0, 0);
	remove.done_arg = &told_remove;
	push_many(&w);
	first_waits(&w, &first);
	ck_assert_int_eq(queue_push(&w.queue, &remove.node), QUEUE_OK);
	submit(&w, &again, PUSH_PUT, "/g899", "b 1\n");
	submit(&w, &other, PUSH_PUT, "/other", body);
	for (int i = 0; i < 10; i++)
		sem_post(&is_free);
	ck_assert_int_eq(wait_for(&first), 0);
	ck_assert_int_eq(wait_for(&again), 0);
	ck_assert_int_eq(wait_for(&other), 0);
	while (sem_wait(&told_remove) != 0)
		;
	ck_assert_int_eq(remove.err.reason, 0);
	ck_assert_uint_eq(n, MANY + 1);
	ck_assert_uint_eq(begun_beside, 1);
	ck_assert_uint_eq(store_counts(w.store).groups, 2);
	check_reloaded(&w);
	sem_destroy(&told_remove);
	teardown_shared(&w);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("shared_log");

	tcase_add_test(tc, batches_grow_with_the_wait);
	tcase_add_loop_test(tc, a_batch_is_as_long_as_a_push_may_be, 0, 3);
	tcase_add_test(tc, what_cannot_join_comes_next);
	tcase_add_loop_test(tc, what_others_outdate_is_staged_again, 0, 5);
	tcase_add_test(tc, without_the_lock_only_those_who_waited_are_refused);
	tcase_add_test(tc, what_follows_waits_behind_a_wipe);
	tcase_add_loop_test(tc, pushes_come_beside_a_removal, 0, 2);
	return run_cases("shared_log", tc);
}
