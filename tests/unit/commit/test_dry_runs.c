/* Dry runs: they are told what a push would be told, and leave nothing behind. */
#include <check.h>

#include "commit/committer.h"
#include "lib/exposed.h"
#include "lib/run.h"
#include "unit/commit/committer_world.h"

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

static unsigned ended_before[8];
static atomic_uint n_told;

static void told_in_turn(struct push *push)
{
	ended_before[n_told++] = batches;
	told(push);
}

/* Who waits for one has it as soon as it is known, however many come behind it. */
START_TEST(each_is_told_before_the_next_is_asked)
{
	struct verdict v[ARRAY_LEN(ended_before)];
	struct world w;

	setup(&w, _i);
	n_told = 0;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct push *push = make_push(PUSH_PUT, "/j", "a 1\n", 1);

		sem_init(&v[i].there, 0, 0);
		push->done = told_in_turn;
		push->done_arg = &v[i];
		push->dry_run = true;
		ck_assert_int_eq(queue_push(&w.queue, &push->node), QUEUE_OK);
	}
	queue_wake(&w.queue);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		ck_assert_int_eq(wait_for(&v[i]), ERR_NONE);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		ck_assert_uint_eq(ended_before[i], i);
	teardown(&w);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("dry_runs");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_dry_run_leaves_nothing_behind, 0, 2);
	tcase_add_loop_test(tc, nobody_sees_a_dry_run, 0, 2);
	tcase_add_test(tc, a_dry_run_while_the_database_takes_nothing);
	tcase_add_loop_test(tc, each_is_told_before_the_next_is_asked, 0, 2);
	return run_cases("dry_runs", tc);
}
