/* What pushes to summed groups cost, in steps of the store and of all below it. */
#include <stdio.h>
#include <stdlib.h>

#include "journal/load.h"
#include "lib/gateway.h"
#include "lib/run.h"
#include "lib/sum_push.h"
#include "lib/work.h"

/* What the committer does for one push, which is accepted. */
static uint64_t cost_of(struct gateway *g, const char *path, struct strbuf *body)
{
	struct err err = { 0 };
	struct push *push = make_sum_push(PUSH_POST, path, strbuf_z(body), g->now++, &err);
	uint64_t before = work_done(), did;

	ck_assert_msg(push != NULL, "%s", err.msg);
	store_stage(g->store, push);
	ck_assert_msg(push->err.reason == ERR_NONE, "%s: %s", path, push->err.msg);
	gateway_publish(g);
	did = work_done() - before;
	push_free(push);
	return did;
}

/* Pushes `value` for n series of a gauge whose maximum is shown, to the group of that number. */
static uint64_t push_info(struct gateway *g, const char *source, int n, int value)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	char path[64];

	strbuf_addf(&body, "# TYPE x%d_info gauge\n", n);
	for (int i = 0; i < n; i++)
		strbuf_addf(&body, "x%d_info{i=\"%d\"} %d\n", n, i, value);
	snprintf(path, sizeof(path), "/j%d/pid/%s", n, source);
	return cost_of(g, path, &body);
}

/* The maximum of n series falls, and each is looked for in all sources. */
static uint64_t cost_of_falling(struct gateway *g, int n)
{
	enum { SOURCES = 50 };
	char source[16];

	for (int i = 0; i < SOURCES; i++) {
		snprintf(source, sizeof(source), "%d", i);
		push_info(g, source, n, 1);
	}
	push_info(g, "top", n, 3);
	return push_info(g, "top", n, 0);
}

/*
 * What each source has is gone through once, and not searched for each of the series.
 */
START_TEST(a_maximum_that_falls)
{
	enum { FEW = 100, TIMES = 32, AT_MOST = 36 };
	struct gateway g;
	uint64_t few, many;

	gateway_init(&g, UINT64_MAX, UINT64_MAX);
	few = cost_of_falling(&g, FEW);
	many = cost_of_falling(&g, TIMES * FEW);
	ck_assert_uint_gt(few, FEW);
	ck_assert_msg(many < AT_MOST * few, "%ju steps for few series, %ju for many",
		      (uintmax_t)few, (uintmax_t)many);
	gateway_done(&g);
}
END_TEST

/* A source pushes `value` for n families. */
static uint64_t push_families(struct gateway *g, int source, int n, int value)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	char path[64];

	for (int i = 0; i < n; i++)
		strbuf_addf(&body, "# TYPE f%d_of_%d counter\nf%d_of_%d %d\n", i, n, i, n, value);
	snprintf(path, sizeof(path), "/of-%d/pid/%d", n, source);
	return cost_of(g, path, &body);
}

/* New ones, and other values: four times as many families are four times the work. */
START_TEST(a_family_among_many)
{
	enum { FEW = 1000, TIMES = 4 };
	struct gateway g;

	gateway_init(&g, UINT64_MAX, UINT64_MAX);
	for (int value = 1; value <= 3; value++) {
		uint64_t few = push_families(&g, 1, FEW, value);
		uint64_t many = push_families(&g, 1, TIMES * FEW, value);

		ck_assert_uint_gt(few, FEW);
		ck_assert_msg(many < (TIMES + 1) * few, "value %d: %ju steps for few, %ju for many",
			      value, (uintmax_t)few, (uintmax_t)many);
	}
	gateway_done(&g);
}
END_TEST

/* Three sources have each of n families; the work of the next start. */
static uint64_t cost_of_start(int n)
{
	struct gateway g;
	struct err err = { 0 };
	struct store *again;
	uint64_t before, did;

	gateway_init(&g, UINT64_MAX, UINT64_MAX);
	for (int source = 1; source <= 3; source++)
		push_families(&g, source, n, 1);
	again = store_new_like(g.store, NULL);
	before = work_done();
	ck_assert_msg(load_store(&g.rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	did = work_done() - before;
	store_free(again);
	gateway_done(&g);
	return did;
}

START_TEST(a_start_with_many_families)
{
	enum { FEW = 1000, TIMES = 4 };
	uint64_t few = cost_of_start(FEW), many = cost_of_start(TIMES * FEW);

	ck_assert_uint_gt(few, FEW);
	ck_assert_msg(many < (TIMES + 1) * few, "%ju steps for few, %ju for many", (uintmax_t)few,
		      (uintmax_t)many);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("summed_cost");

	tcase_add_test(tc, a_maximum_that_falls);
	tcase_add_test(tc, a_family_among_many);
	tcase_add_test(tc, a_start_with_many_families);
	return run_cases("summed_cost", tc);
}
