/*
 * Once it is settled by rows which families are left out, since they contradict others
 * (lib/contradictions.h), what is shown and what is left out must stay so over restarts, whatever
 * is pushed, deleted and cleaned; and another gateway that follows the rows has the same.
 */
#include <check.h>
#include <stdlib.h>

#include "journal/compare.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "lib/contradictions.h"
#include "lib/make_push.h"
#include "lib/rng.h"
#include "lib/row_follower.h"
#include "lib/run.h"
#include "lib/stored_recount.h"

enum { PUSHES = 30, OPS = 25 };

static const struct store_limits limits = { 100, 1000 };

static struct store *load(struct mem_storage *rows)
{
	struct store *s = store_new(&limits);
	struct err err = { 0 };

	ck_assert_msg(load_store(&rows->base, s, &err) == STORAGE_LOADED, "%s", err.msg);
	return s;
}

static void commit(struct mem_storage *rows, const struct rows *list)
{
	struct err err;

	ck_assert_int_eq(rows->base.ops->commit(&rows->base, list, &err), STORAGE_COMMITTED);
}

static void settle(struct store *s, struct mem_storage *rows)
{
	while (store_has_unsettled(s)) {
		/* If it cannot be written, nothing has changed. */
		store_settle_rows(s);
		store_rollback(s);
		commit(rows, store_settle_rows(s));
		store_settled(s);
		store_publish(s);
	}
}

static void check_restart(struct store *s, struct mem_storage *rows, const char *when)
{
	struct store *again = load(rows);
	struct err err = { 0 };

	ck_assert_msg(compare_stores(s, again, &err), "%s: %s", when, err.msg);
	ck_assert_uint_eq(store_counts(again).left_out, store_counts(s).left_out);
	ck_assert(!store_has_unsettled(again));
	store_free(again);
}

static void clean(struct store *s, struct mem_storage *rows, uint64_t bytes)
{
	struct err err;

	ck_assert_int_eq(storage_clean(&rows->base, s, bytes, &err), 0);
	commit(rows, store_clean_rows(s));
	store_clean_end(s, true);
	store_publish(s);
}

/* A database that is written anew leaves out the same, and goes on leaving it out. */
static void check_anew(struct store *s)
{
	struct mem_storage rows;
	struct err err = { 0 };
	struct store *again;

	mem_storage_init(&rows);
	ck_assert_msg(rewrite_store(s, &rows.base, &err) == 0, "%s", err.msg);
	again = load(&rows);
	ck_assert(!store_has_unsettled(again));
	ck_assert_msg(compare_stores(s, again, &err), "%s", err.msg);
	store_free(again);
	mem_storage_done(&rows);
}

/* Returns how many families are left out at first. */
static uint64_t run_history(uint64_t seed)
{
	uint64_t rng = seed;
	struct mem_storage rows;
	struct row_follower other;
	struct err err = { 0 };
	struct store *s;
	uint64_t left;

	contradictions_write(&rows, &rng, PUSHES);
	row_follower_init(&other, load(&rows));
	s = load(&rows);
	left = store_counts(s).left_out;
	settle(s, &rows);
	check_restart(s, &rows, "settled");
	for (int i = 0; i < OPS; i++) {
		struct contradicting_push p;

		contradicting_push(&rng, rng_below(&rng, CONTRADICTING_GROUPS), &p);
		CLEANUP(push_freep)
		struct push *push = make_push(p.mode, p.path, strbuf_z(&p.body), PUSHES + i);

		store_stage(s, push);
		commit(&rows, store_rows(s));
		store_publish(s);
		check_restart(s, &rows, "after a push");
		ck_assert(row_follower_apply(&other, &rows, PUSHES + i));
		ck_assert_msg(compare_stores(s, other.store, &err), "followed: %s", err.msg);
		check_stored(s);
		strbuf_done(&p.body);
		if (rng_one_in(&rng, 4)) {
			clean(s, &rows, rng_one_in(&rng, 2) ? UINT64_MAX : 300);
			check_restart(s, &rows, "after cleaning");
		}
	}
	check_anew(s);
	row_follower_done(&other);
	store_free(s);
	mem_storage_done(&rows);
	return left;
}

START_TEST(it_stays_left_out)
{
	enum { HISTORIES = 60 };
	uint64_t left_out = 0;

	for (uint64_t seed = 0; seed < HISTORIES; seed++)
		left_out += run_history((uint64_t)_i * 1000 + seed);
	ck_assert_uint_gt(left_out, HISTORIES / 6);
}
END_TEST

/* What was in its way is deleted: it is not shown before it is pushed again. */
START_TEST(until_it_is_pushed_again)
{
	struct mem_storage rows;
	struct store *s;
	struct store_left_out left;
	size_t at = 0;

	mem_storage_init(&rows);
	contradictions_add(&rows, "/j", "{\"x.y\"} 1\n", 1);
	contradictions_add(&rows, "/k", "x_y 1\n", 2);
	s = load(&rows);
	ck_assert(store_has_unsettled(s));
	settle(s, &rows);
	for (int i = 0; i < 2; i++) {
		CLEANUP(push_freep)
		struct push *push = i ? make_push(PUSH_POST, "/j", "{\"x.y\"} 2\n", 5)
				      : make_push(PUSH_DELETE, "/k", "", 4);

		store_stage(s, push);
		ck_assert_int_eq(push->err.reason, ERR_NONE);
		commit(&rows, store_rows(s));
		store_publish(s);
		store_free(s);
		s = load(&rows);
		ck_assert_uint_eq(store_counts(s).left_out, i ? 0 : 1);
		ck_assert_int_eq(store_left_out(s, &at, &left), !i);
		ck_assert(i || strstr(left.why, "contradicts what others have"));
	}
	store_free(s);
	mem_storage_done(&rows);
}
END_TEST

/* Another gateway gets the group, or what replaces it as a whole, and that it is left out at once.
 */
START_TEST(all_rows_at_once)
{
	struct mem_storage rows;
	struct row_follower other;
	struct err err = { 0 };
	struct store *s;

	mem_storage_init(&rows);
	if (_i == 0)
		row_follower_init(&other, store_new(&limits));
	contradictions_add(&rows, "/j", "{\"x.y\"} 1\n", 1);
	if (_i == 1) {
		CLEANUP(push_freep)
		struct push *push = make_push(PUSH_PUT, "/j", "{\"x.y\"} 2\n", 5);

		row_follower_init(&other, load(&rows));
		s = load(&rows);
		store_stage(s, push);
		commit(&rows, store_rows(s));
		store_publish(s);
		store_free(s);
	}
	contradictions_add(&rows, "/k", "x_y 1\n", 6);
	s = load(&rows);
	settle(s, &rows);
	ck_assert(row_follower_apply(&other, &rows, 10));
	ck_assert_uint_eq(store_counts(other.store).left_out, 1);
	ck_assert_msg(compare_stores(s, other.store, &err), "followed: %s", err.msg);
	row_follower_done(&other);
	store_free(s);
	mem_storage_done(&rows);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("left_out_settled");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, it_stays_left_out, 0, 8);
	tcase_add_test(tc, until_it_is_pushed_again);
	tcase_add_loop_test(tc, all_rows_at_once, 0, 2);
	return run_cases("left_out_settled", tc);
}
