/* The log of pushes is shortened while pushes come, at start, or not at all. */
#include <check.h>
#include <sched.h>
#include <stdio.h>

#include "commit/committer.h"
#include "journal/load.h"
#include "lib/mem_storage.h"
#include "lib/run.h"
#include "unit/commit/committer_world.h"

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

int main(void)
{
	TCase *tc = tcase_create("cleaning");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, log_is_shortened, 0, (int)ARRAY_LEN(shortened));
	tcase_add_test(tc, log_is_shortened_at_start);
	tcase_add_test(tc, log_cannot_be_shortened);
	return run_cases("cleaning", tc);
}
