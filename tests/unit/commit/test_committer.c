/*
 * The committer: what a pusher is told and what is then true. Its thread is the only one that
 * touches the store, while any number of others queue pushes and scrape.
 */
#include <check.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "commit/committer.h"
#include "commit/late.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/run.h"
#include "unit/commit/committer_world.h"

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

/* Of so many families each step is one of so many steps. */
enum { CHAIN_FAMILIES = 20000, CHAIN_STEP = 100, CHAIN_STEPS = CHAIN_FAMILIES / CHAIN_STEP };

/* How often others had their turn before the large push had its verdict. */
static unsigned run_chain(struct world *w, const char *type, bool adds, bool dry_run)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct chain ch = { .queue = &w->queue, .adds = adds };
	struct push *large;

	for (unsigned k = 0; k < CHAIN_FAMILIES; k++)
		strbuf_addf(&body, "# TYPE f%u %s\nf%u 1\n", k, type, k);
	large = make_push(PUSH_PUT, "/large", strbuf_z(&body), 1);
	large->done = end_of_chain;
	large->done_arg = &ch;
	large->dry_run = dry_run;
	sem_init(&ch.over, 0, 0);
	ck_assert_int_eq(queue_push(&w->queue, &large->node), QUEUE_OK);
	push_small(&ch);
	queue_wake(&w->queue);
	while (sem_wait(&ch.over) != 0)
		;
	sem_destroy(&ch.over);
	ck_assert_int_eq(ch.reason, ERR_NONE);
	return ch.before;
}

/* Counted, not timed: others have their turn again and again. */
START_TEST(others_are_answered_while_a_large_push_is_staged)
{
	enum { TURNS = 20 };
	struct world w;

	late_families = CHAIN_STEP;
	setup(&w, _i);
	for (size_t i = 0; i < ARRAY_LEN(large_ones); i++)
		ck_assert_uint_ge(run_chain(&w, large_ones[i].type, large_ones[i].adds,
					    large_ones[i].dry_run),
				  TURNS);
	ck_assert_uint_eq(store_counts(w.store).groups, 2);
	teardown(&w);
	late_families = LATE_FAMILIES;
}
END_TEST

static enum storage_commit_result (*commit_at_once)(struct storage *st, const struct rows *rows,
						    struct err *err);

static enum storage_commit_result commit_in_20_ms(struct storage *st, const struct rows *rows,
						  struct err *err)
{
	struct timespec left = { .tv_nsec = 20000000 };

	while (nanosleep(&left, &left) != 0)
		;
	return commit_at_once(st, rows, err);
}

/* The fewest of some, as the committer may be held up in its steps. */
START_TEST(a_large_push_is_not_held_up_by_slow_commits)
{
	unsigned fewest = UINT_MAX;

	late_families = CHAIN_STEP;
	for (int i = 0; i < 4 && fewest > CHAIN_STEPS / 2; i++) {
		struct world w;

		setup(&w, true);
		w.ops = *w.rows.base.ops;
		commit_at_once = w.ops.commit;
		w.ops.commit = commit_in_20_ms;
		w.rows.base.ops = &w.ops;
		unsigned turns = run_chain(&w, "gauge", false, false);
		fewest = turns < fewest ? turns : fewest;
		teardown(&w);
	}
	ck_assert_uint_le(fewest, CHAIN_STEPS / 2);
	late_families = LATE_FAMILIES;
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

/*
 * After a start all groups whose time is over have the same deadline, and they are more than one
 * batch takes. With a pause of a second between batches it would take eleven.
 */
START_TEST(many_end_at_the_same_time)
{
	enum { N = 6000, MOST_MS = 9000 };
	const struct timespec ms = { 0, 1000000 };
	struct err err;
	int64_t from;
	struct world w;

	queue_init(&w.queue, 10, 1 << 20);
	mem_storage_init(&w.rows);
	w.store = store_new(&(struct store_limits){ N, 100000 });
	store_begin_waiting(w.store, clock_mono_ns() + INT64_C(500000000), 0, 0);
	for (unsigned i = 0; i < N; i++) {
		struct push *push;
		char path[20];

		snprintf(path, sizeof(path), "/j/g/%u", i);
		push = make_push(PUSH_PUT, path, "a 1\n", 1);
		push->options.own_ttl = push->options.group.has_ttl = true;
		push->options.group.ttl_ns = 1;
		store_stage(w.store, push);
		store_rows(w.store);
		store_publish(w.store);
		push_free(push);
	}
	from = clock_mono_ns();
	w.committer = committer_start(&w.queue, w.store, NULL, batch_done, &err);
	ck_assert_ptr_nonnull(w.committer);
	while (store_counts(w.store).groups > 0)
		nanosleep(&ms, NULL);
	ck_assert_int_lt((clock_mono_ns() - from) / 1000000, MOST_MS);
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

int main(void)
{
	TCase *tc = tcase_create("committer");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_push_of_each_kind_is_answered, 0, 2);
	tcase_add_test(tc, failed_commits);
	tcase_add_test(tc, one_that_cannot_be_stored);
	tcase_add_test(tc, one_that_is_too_large);
	tcase_add_loop_test(tc, others_are_answered_while_a_large_push_is_staged, 0, 2);
	tcase_add_test(tc, a_large_push_is_not_held_up_by_slow_commits);
	tcase_add_loop_test(tc, wipes, 0, 2);
	tcase_add_test(tc, many_end_at_the_same_time);
	tcase_add_test(tc, stop_drains);
	tcase_add_test(tc, a_database_that_takes_nothing_is_asked_again);
	tcase_add_test(tc, stopped_is_closed);
	return run_cases("committer", tc);
}
