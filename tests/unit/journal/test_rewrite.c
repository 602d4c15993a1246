/* A store written into an empty database from memory, and loaded from it: it shows the same. */
#include <check.h>
#include <stdio.h>

#include "base/clock.h"
#include "journal/compare.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "lib/exposed.h"
#include "lib/gateway.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "lib/sum_push.h"

static const char *const bodies[] = {
	"a 1\n",
	"# HELP a first\n# TYPE a gauge\na{x=\"y\",z=\"\"} -0\na{x=\"q\\\"\\n\\\\\"} NaN\n",
	"# HELP b with \\\\ and \\n\n# TYPE b counter\nb{instance=\"i\",job=\"mine\"} 1e300\n",
	"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\nc 1\nd 5e-324\n",
	"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
	"# HELP b\n# TYPE b counter\nb 18446744073709551615\n",
	"# HELP a second\n# TYPE a gauge\na{n=\"1\"} 2\n",
	"",
};

static const char *const paths[] = { "/j", "/j/a/b", "/k", "/l/x/y", "/m/o/p/q/r" };

static struct store *rewritten(struct store *s, struct mem_storage *to)
{
	struct store *loaded = store_new_like(s, NULL);
	struct err err = { 0 };

	mem_storage_init(to);
	ck_assert_msg(rewrite_store(s, &to->base, &err) == 0, "%s", err.msg);
	ck_assert_msg(load_store(&to->base, loaded, &err) == STORAGE_LOADED, "%s", err.msg);
	return loaded;
}

static void check_same(struct store *a, struct store *b)
{
	struct strbuf ta = { 0 }, tb = { 0 };
	struct err err = { 0 };

	exposed_add(a, &ta);
	exposed_add(b, &tb);
	ck_assert_str_eq(strbuf_z(&tb), strbuf_z(&ta));
	ck_assert_msg(compare_stores(a, b, &err), "%s", err.msg);
	strbuf_done(&ta);
	strbuf_done(&tb);
}

START_TEST(random_stores)
{
	uint64_t rng = (uint64_t)_i + 1;
	struct mem_storage rows;
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (unsigned i = 0; i < 40; i++) {
		enum push_mode mode = rng_one_in(&rng, 8)   ? PUSH_DELETE
				      : rng_one_in(&rng, 2) ? PUSH_PUT
							    : PUSH_POST;
		const char *body = mode == PUSH_DELETE ? ""
						       : bodies[rng_below(&rng, ARRAY_LEN(bodies))];
		struct push *push = make_push(mode, paths[rng_below(&rng, 5)], body, g.now);

		/* A batch may have one time, and a clock may be set back. */
		g.now += (double)rng_below(&rng, 4) - 1;
		/* Some are refused, which a group shows, too. */
		g.pushes[g.n++] = push;
		store_stage(g.store, push);
		gateway_publish(&g);
	}
	/* As after a restart: the rows decide what is shown. */
	struct store *again = store_new_like(g.store, NULL);
	struct err err = { 0 };

	ck_assert_msg(load_store(&g.rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	store_take_over(g.store, again, clock_wall());
	struct store *loaded = rewritten(g.store, &rows);

	check_same(g.store, loaded);
	/* And it goes on from there. */
	store_take_over(g.store, loaded, clock_wall());
	mem_storage_done(&g.rows);
	g.rows = rows;
	gateway_push(&g, PUSH_PUT, "/j", "later 1\n", 0);
	gateway_push(&g, PUSH_DELETE, "/k", "", 0);
	gateway_push(&g, PUSH_PUT, "/l/x/y", "later 1\n", 0);
	loaded = store_new_like(g.store, NULL);
	ck_assert_msg(load_store(&g.rows.base, loaded, &err) == STORAGE_LOADED, "%s", err.msg);
	ck_assert_msg(compare_stores(g.store, loaded, &err), "%s", err.msg);
	store_free(loaded);
	gateway_done(&g);
}
END_TEST

START_TEST(limits_lowered_since)
{
	const struct store_limits one = { 1, 1 };
	struct mem_storage rows;
	struct gateway g;

	gateway_init(&g, 100, 1000);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\nb 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/k", "a 1\nb 1\n", 0);
	struct store *low = store_new_like(g.store, &one);
	struct err err = { 0 };

	ck_assert_int_eq(load_store(&g.rows.base, low, &err), STORAGE_LOADED);
	struct store *loaded = rewritten(low, &rows);

	check_same(low, loaded);
	mem_storage_done(&rows);
	store_free(loaded);
	store_free(low);
	gateway_done(&g);
}
END_TEST

/* A database that takes some commits, and then no more. */
static const struct storage_ops *rows_in_memory;
static unsigned commits_left;
static enum storage_commit_result then;

static enum storage_commit_result commit_or_fail(struct storage *st, const struct rows *rows,
						 struct err *err)
{
	if (commits_left == 0) {
		err_set(err, ERR_STORAGE, 0, "told to fail");
		return then;
	}
	commits_left--;
	return rows_in_memory->commit(st, rows, err);
}

/* Whether the store was written as a whole, into a database that takes so many commits. */
static bool is_written(struct store *s, unsigned commits)
{
	struct mem_storage to;
	struct storage_ops ops;
	struct err err = { 0 };
	int r;

	mem_storage_init(&to);
	rows_in_memory = to.base.ops;
	ops = *rows_in_memory;
	ops.commit = commit_or_fail;
	to.base.ops = &ops;
	commits_left = commits;
	r = rewrite_store(s, &to.base, &err);
	ck_assert_int_eq(r, r < 0 ? -1 : 0);
	if (r < 0)
		ck_assert_str_eq(err.msg, "told to fail");
	mem_storage_done(&to);
	return r == 0;
}

/* Whichever commit fails, and however. */
START_TEST(not_all_is_written)
{
	struct gateway g;
	unsigned commits = 0;

	then = STORAGE_REFUSED + (enum storage_commit_result)_i;
	gateway_init(&g, 1000, 1000000);
	for (unsigned i = 0; i < 600; i++) {
		char path[20];

		snprintf(path, sizeof(path), "/j%u", i);
		gateway_push(&g, PUSH_PUT, path, "a 1\n", 0);
	}
	while (!is_written(g.store, commits))
		commits++;
	/* Two for families, two for times. */
	ck_assert_uint_eq(commits, 4);
	gateway_done(&g);
}
END_TEST

/* Each differs from the first in one thing. */
static const struct {
	const char *name, *path, *body;
} others[] = {
	{ "a value", "/j", "# HELP a h\na 2\n" },
	{ "a help text", "/j", "# HELP a g\na 1\n" },
	{ "a type", "/j", "# HELP a h\n# TYPE a gauge\na 1\n" },
	{ "a family", "/j", "# HELP a h\na 1\nb 1\n" },
	{ "a group", "/k", "# HELP a h\na 1\n" },
};

START_TEST(different)
{
	struct gateway a, b, later;
	struct err err = { 0 };

	gateway_init(&a, 10, 100);
	gateway_init(&b, 10, 100);
	gateway_init(&later, 10, 100);
	later.now = 100.5;
	gateway_push(&a, PUSH_PUT, "/j", "# HELP a h\na 1\n", 0);
	gateway_push(&b, PUSH_PUT, others[_i].path, others[_i].body, 0);
	gateway_push(&later, PUSH_PUT, "/j", "# HELP a h\na 1\n", 0);
	ck_assert_msg(!compare_stores(a.store, b.store, &err), "%s", others[_i].name);
	ck_assert(strstr(err.msg, "differs"));
	ck_assert(!compare_stores(a.store, later.store, &err));
	ck_assert(compare_stores(a.store, a.store, &err));
	gateway_push(&b, PUSH_DELETE, others[_i].path, "", 0);
	ck_assert(!compare_stores(a.store, b.store, &err));
	gateway_done(&a);
	gateway_done(&b);
	gateway_done(&later);
}
END_TEST

static void push_count(struct gateway *g, const char *body)
{
	struct err err = { 0 };
	struct push *push = make_sum_push(PUSH_POST, "/j/__mode__/sum/pid/1", body, 1000, &err);

	ck_assert_msg(push != NULL, "%s", err.msg);
	g->pushes[g->n++] = push;
	store_stage(g->store, push);
	ck_assert_msg(!push->err.reason, "%s", push->err.msg);
	gateway_publish(g);
}

/* What is read back of a store shows zeros for as long as that does, however late it is. */
START_TEST(zeros_are_read_back)
{
	const struct group_options rule = { .has_zero_first = true,
					    .zero_first_ns = 30 * INT64_C(1000000000) };
	CLEANUP(strbuf_done) struct strbuf zeros = { 0 };
	struct store *loaded;
	struct err err = { 0 };
	struct gateway a;

	clock_hold(INT64_C(1000000000000), INT64_C(1000000000000));
	sum_push_rule(&rule);
	gateway_init(&a, 10, 100);
	push_count(&a, "# TYPE c counter\nc 19\n");
	clock_hold(INT64_C(1060000000000), INT64_C(1060000000000));
	loaded = store_new_like(a.store, NULL);
	ck_assert_int_eq(load_store(&a.rows.base, loaded, &err), STORAGE_LOADED);
	sum_exposed(loaded, &zeros);
	ck_assert(strstr(strbuf_z(&zeros), "c 0"));
	ck_assert_msg(compare_stores(a.store, loaded, &err), "%s", err.msg);
	sum_push_rule(NULL);
	store_free(loaded);
	gateway_done(&a);
}
END_TEST

/* A store of the same log in which the gateway has a metric a of its own. */
static struct store *load_with_own(struct gateway *g)
{
	struct store *s = store_new_like(g->store, NULL);
	struct err err = { 0 };

	store_add_own(s, STR("a"), METRIC_COUNTER);
	ck_assert_msg(load_store(&g->rows.base, s, &err) == STORAGE_LOADED, "%s", err.msg);
	return s;
}

/*
 * Of a family that is left out the newest push is kept, and is what the next version shows, whether
 * an older one breaks the rule, too, or does not.
 */
START_TEST(the_newest_that_is_left_out)
{
	CLEANUP(strbuf_done) struct strbuf shown = { 0 };
	struct gateway g;
	struct mem_storage rows;
	struct err err = { 0 };

	gateway_init(&g, 10, 100);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\nb 1\n", 0);
	gateway_push(&g, PUSH_POST, "/j", _i ? "# TYPE a counter\na 2\n" : "a 2\n", 0);
	gateway_push(&g, PUSH_POST, "/j", "a 3\n", 0);
	struct store *s = load_with_own(&g);

	ck_assert_uint_eq(store_counts(s).left_out, 1);
	exposed_add(s, &shown);
	ck_assert_ptr_null(strstr(strbuf_z(&shown), "\na{"));
	mem_storage_init(&rows);
	ck_assert_msg(rewrite_store(s, &rows.base, &err) == 0, "%s", err.msg);
	store_free(s);
	s = store_new_like(g.store, NULL);
	ck_assert_msg(load_store(&rows.base, s, &err) == STORAGE_LOADED, "%s", err.msg);
	check_same(g.store, s);
	store_free(s);
	mem_storage_done(&rows);
	gateway_done(&g);
}
END_TEST

/* What is left out is compared, too. */
START_TEST(left_out_is_different)
{
	struct gateway a, b;
	struct err err = { 0 };
	struct store *sa, *sb;

	gateway_init(&a, 10, 100);
	gateway_init(&b, 10, 100);
	gateway_push(&a, PUSH_PUT, "/j", "a 1\nb 1\n", 0);
	gateway_push(&b, PUSH_PUT, "/j", _i ? "a 2\nb 1\n" : "b 1\n", 0);
	sa = load_with_own(&a);
	sb = load_with_own(&b);
	ck_assert(!compare_stores(sa, sb, &err));
	ck_assert_msg(strstr(err.msg, "what is not shown of group"), "%s", err.msg);
	ck_assert(!compare_stores(sb, sa, &err));
	ck_assert(compare_stores(sa, sa, &err));
	store_free(sa);
	store_free(sb);
	gateway_done(&a);
	gateway_done(&b);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("rewrite");

	tcase_add_loop_test(tc, random_stores, 0, 30);
	tcase_add_test(tc, limits_lowered_since);
	tcase_add_loop_test(tc, not_all_is_written, 0, STORAGE_UNKNOWN);
	tcase_add_loop_test(tc, different, 0, 5);
	tcase_add_test(tc, zeros_are_read_back);
	tcase_add_loop_test(tc, the_newest_that_is_left_out, 0, 2);
	tcase_add_loop_test(tc, left_out_is_different, 0, 2);
	return run_cases("rewrite", tc);
}
