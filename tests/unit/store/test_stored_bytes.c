/* --limits.stored-bytes: what counts, what is refused at the limit, and what stays possible. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "journal/load.h"
#include "lib/gateway.h"
#include "lib/run.h"
#include "lib/stored_recount.h"
#include "store/internal.h"
#include "unit/store/summed_steps.h"

static uint64_t shown(struct gateway *g)
{
	check_stored(g->store);
	return store_counts(g->store).bytes;
}

/* A body with a label of n bytes. */
static const char *labelled(unsigned n)
{
	static char body[4096];

	snprintf(body, sizeof(body), "a{l=\"%0*d\"} 1\n", (int)n, 1);
	return body;
}

START_TEST(at_the_limit)
{
	struct gateway g;
	uint64_t full;

	gateway_init(&g, 100, 1000);
	gateway_push(&g, PUSH_PUT, "/j", labelled(500), 0);
	gateway_push(&g, PUSH_PUT, "/k", labelled(500), 0);
	full = shown(&g);
	store_limit_bytes(g.store, full);
	/* As much as before, and less, also within one batch. */
	gateway_push(&g, PUSH_PUT, "/k", labelled(500), 0);
	gateway_push(&g, PUSH_PUT, "/k", labelled(501), ERR_STORE_FULL);
	gateway_push(&g, PUSH_POST, "/k", "b 1\n", ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/l", "", ERR_STORE_FULL);
	ck_assert_uint_eq(store_counts(g.store).groups, 2);
	gateway_push(&g, PUSH_PUT, "/k", labelled(499), 0);
	gateway_push(&g, PUSH_PUT, "/k", labelled(500), 0);
	ck_assert_uint_eq(shown(&g), full);
	/* Who brings too much stands in nobody's way. */
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/k", "a 1\n", 0 });
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", labelled(1100), ERR_STORE_FULL });
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", labelled(501), 0 });
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", labelled(1100), ERR_STORE_FULL });
	gateway_publish(&g);
	gateway_push(&g, PUSH_DELETE, "/j", "", 0);
	gateway_push(&g, PUSH_DELETE, "/k", "", 0);
	ck_assert_uint_eq(shown(&g), 0);
	gateway_done(&g);
}
END_TEST

/* What values a push has makes no difference, how many digits they have neither. */
START_TEST(values)
{
	static const char *const bodies[] = {
		"a 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\n"
		"h_count 1\n",
		"a -1.2345678901234567e-300\n# TYPE h histogram\nh_bucket{le=\"1\"} 12345678901\n"
		"h_bucket{le=\"+Inf\"} 9007199254740993\nh_sum 123.25\nh_count 9007199254740993\n",
		"a NaN\n# TYPE h histogram\nh_bucket{le=\"1\"} 7\nh_bucket{le=\"+Inf\"} 8\nh_sum "
		"1\n"
		"h_count 8\n",
	};
	struct gateway g;

	gateway_init(&g, 100, 1000);
	gateway_push(&g, PUSH_PUT, "/j", bodies[0], 0);
	store_limit_bytes(g.store, shown(&g));
	for (size_t i = 0; i < 2 * ARRAY_LEN(bodies); i++)
		gateway_push(&g, PUSH_PUT, "/j", bodies[i % ARRAY_LEN(bodies)], 0);
	gateway_done(&g);
}
END_TEST

/* The same series with longer messages: a 16th of the limit is kept for them. */
START_TEST(reserve)
{
	struct gateway g;

	gateway_init(&g, 100, 1000);
	gateway_push(&g, PUSH_PUT, "/j", labelled(2000), 0);
	gateway_push(&g, PUSH_PUT, "/k", "# HELP b 1\n# TYPE b gauge\nb 1\n", 0);
	store_limit_bytes(g.store, shown(&g));
	gateway_push(&g, PUSH_PUT, "/k", "# HELP b 12345\n# TYPE b gauge\nb 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/k", "# HELP b 1\n# TYPE b gauge\nb -0\n", 0);
	gateway_push(&g, PUSH_PUT, "/k", "# HELP b 1\n# TYPE b gauge\nb{x=\"1\"} -0\n",
		     ERR_STORE_FULL);
	CLEANUP(strbuf_done) struct strbuf help = { 0 };

	strbuf_addz(&help, "# HELP b ");
	for (int i = 0; i < 1000; i++)
		strbuf_addz(&help, "x");
	strbuf_addz(&help, "\n# TYPE b gauge\nb 1\n");
	gateway_push(&g, PUSH_PUT, "/k", strbuf_z(&help), ERR_STORE_FULL);
	gateway_done(&g);
}
END_TEST

/* What was accepted under another limit is still there after a restart, and may not grow. */
START_TEST(lowered)
{
	struct store *again = store_new(&(struct store_limits){ 100, 1000 });
	struct gateway g;
	struct err err = { 0 };
	uint64_t before;

	gateway_init(&g, 100, 1000);
	gateway_push(&g, PUSH_PUT, "/j", labelled(900), 0);
	gateway_push(&g, PUSH_PUT, "/k", "a 1\n# HELP b x\n# TYPE b gauge\nb 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/k", "a 1 1\n", ERR_INVALID);
	before = shown(&g);
	store_limit_bytes(again, 2000);
	ck_assert_msg(load_store(&g.rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	store_free(g.store);
	g.store = again;
	ck_assert_uint_eq(shown(&g), before);
	gateway_push(&g, PUSH_POST, "/j", "d 1\n", ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/l", "", ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/j", labelled(900), 0);
	gateway_push(&g, PUSH_PUT, "/j", "a 2\n", 0);
	ck_assert_uint_eq(store_counts(g.store).groups, 2);
	gateway_done(&g);
}
END_TEST

/* A failure has room in what is counted for its group: it is noted at the limit, too. */
START_TEST(failures)
{
	struct gateway g;
	uint64_t before;

	gateway_init(&g, 100, 1000);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\n", 0);
	before = shown(&g);
	store_limit_bytes(g.store, before);
	gateway_push(&g, PUSH_PUT, "/j", "a 1 1\n", ERR_INVALID);
	gateway_push(&g, PUSH_POST, "/j", "b 2\n", ERR_STORE_FULL);
	ck_assert_uint_eq(shown(&g), before);
	gateway_push(&g, PUSH_PUT, "/j", "a 2\n", 0);
	gateway_push(&g, PUSH_DELETE, "/j", "", 0);
	ck_assert_uint_eq(shown(&g), 0);
	gateway_done(&g);
}
END_TEST

/* A large push is refused for what others have stored meanwhile, and gives all back. */
START_TEST(large_push)
{
	struct store *s = store_new(&(struct store_limits){ 100, 1000 });
	struct push *first = make_push(PUSH_PUT, "/j", "a 1\n", 1);
	struct push *large = make_push(PUSH_PUT, "/j", "a 1\nb 1\nc 1\n", 1);
	struct push *other = make_push(PUSH_PUT, "/k", labelled(500), 1);
	uint64_t before;

	store_stage(s, first);
	store_publish(s);
	store_limit_bytes(s, store_counts(s).bytes + 4000);
	ck_assert(store_large_begin(s, large));
	store_large_step(s, 1);
	store_stage(s, other);
	ck_assert_int_eq(other->err.reason, 0);
	store_publish(s);
	before = store_counts(s).bytes;
	store_limit_bytes(s, before + 1000);
	while (store_large_step(s, 1))
		;
	ck_assert_uint_eq(store_counts(s).bytes, before);
	store_large_end(s);
	ck_assert_int_eq(large->err.reason, ERR_STORE_FULL);
	ck_assert_ptr_nonnull(strstr(large->err.msg, "--limits.stored-bytes"));
	store_publish(s);
	check_stored(s);
	store_limit_bytes(s, before + 8000);
	large->err = (struct err){ 0 };
	ck_assert(store_large_begin(s, large));
	while (store_large_step(s, 1))
		;
	store_large_end(s);
	ck_assert_int_eq(large->err.reason, 0);
	store_publish(s);
	check_stored(s);
	push_free(other);
	push_free(large);
	push_free(first);
	store_free(s);
}
END_TEST

/* Sources and sums count; who has pushed before goes on, and sources that are done make room. */
START_TEST(sources)
{
	struct gateway g;

	init_with(&g, NULL);
	step(&g, "/j/pid/1/__start__/1|c 1; d 1");
	step(&g, "/j/pid/2/__start__/1|c 1; d 1");
	store_limit_bytes(g.store, shown(&g));
	step(&g, "507 /j/pid/3/__start__/1|c 1; d 1");
	step(&g, "507 /k/pid/1/__start__/1|c 1");
	step(&g, "507 /j/pid/1/__start__/1|c 2; c{x=\"y\"} 1; d 1");
	step(&g, "/j/pid/1/__start__/1|c 123456789; d 1e+300");
	ck_assert_uint_le(shown(&g), g.store->lim.max_bytes);
	step(&g, "DELETE /j/pid/2");
	step(&g, "/j/pid/3/__start__/1|c 1; d 1");
	ck_assert_uint_eq(g.store->folded.n, 1);
	check_shows(&g, "folded", "c 1.23456791e+08; d 1e+300");
	shown(&g);
	gateway_done(&g);
}
END_TEST

/* A family that breaks a rule of this version is held for those that show it. */
START_TEST(left_out)
{
	CLEANUP(push_freep) struct push *more = make_push(PUSH_PUT, "/k", "a 1\n", 9);
	struct gateway g;
	struct store *again;
	struct err err = { 0 };
	uint64_t all, without;

	gateway_init(&g, 100, 1000);
	gateway_push(&g, PUSH_PUT, "/j", "b 1\n", 0);
	without = shown(&g);
	gateway_push(&g, PUSH_POST, "/j", labelled(3000), 0);
	again = store_new_like(g.store, NULL);
	store_add_own(again, STR("a"), METRIC_COUNTER);
	ck_assert_msg(load_store(&g.rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	ck_assert_uint_eq(store_counts(again).left_out, 1);
	store_free(g.store);
	g.store = again;
	all = shown(&g);
	ck_assert_uint_gt(all, without + 3000);
	store_limit_bytes(g.store, all);
	store_stage(g.store, more);
	ck_assert_int_eq(more->err.reason, ERR_STORE_FULL);
	store_rollback(g.store);
	ck_assert_uint_eq(stored_bytes_of(g.store), all);
	gateway_push(&g, PUSH_PUT, "/j", "b 1\n", 0);
	ck_assert_uint_eq(shown(&g), without);
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("stored bytes");

	tcase_add_test(tc, at_the_limit);
	tcase_add_test(tc, values);
	tcase_add_test(tc, reserve);
	tcase_add_test(tc, lowered);
	tcase_add_test(tc, failures);
	tcase_add_test(tc, large_push);
	tcase_add_test(tc, sources);
	tcase_add_test(tc, left_out);
	return run_cases("stored bytes", tc);
}
