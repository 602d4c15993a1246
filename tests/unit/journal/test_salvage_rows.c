/*
 * Any of the log's rows may be lost: what groups show of which no row is lost is what they showed.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/salvage.h"
#include "lib/gateway.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "lib/sum_push.h"

static struct gateway g;

static void sum(enum push_mode mode, const char *path, const char *body)
{
	struct err err = { 0 };
	struct push *push = make_sum_push(mode, path, body, g.now++, &err);

	ck_assert_msg(push != NULL, "%s", err.msg);
	g.pushes[g.n++] = push;
	store_stage(g.store, push);
	ck_assert_msg(push->err.reason == ERR_NONE, "%s", push->err.msg);
	gateway_publish(&g);
}

/* Groups of every kind, whose series grow more with each round. */
static void make_history(void)
{
	char path[80], body[400];

	gateway_init(&g, 1000, 100000);
	for (unsigned n = 0; n < 40; n++) {
		snprintf(path, sizeof(path), "/plain%u", n % 4);
		snprintf(body, sizeof(body), "a{n=\"%u\"} %u\nb%u 1\n", n, n, n % 3);
		gateway_push(&g, n % 2 ? PUSH_PUT : PUSH_POST, path, body, ERR_NONE);
		snprintf(path, sizeof(path), "/j/__mode__/sum/pid/%u", n % 5);
		snprintf(body, sizeof(body),
			 "# TYPE c counter\nc %u\nc{n=\"%u\"} 1\n# TYPE g gauge\ng{n=\"%u\"} %u\n"
			 "# TYPE h histogram\nh_bucket{le=\"%u\"} 1\nh_bucket{le=\"+Inf\"} 2\n"
			 "h_sum %u\nh_count 2\n",
			 n, n, n / 3, n, n % 7, n);
		sum(PUSH_POST, path, body);
		snprintf(path, sizeof(path), "/k%u/__mode__/sum/pid/%u", n % 3, n % 2);
		sum(n % 8 == 7 ? PUSH_DELETE : PUSH_POST, path,
		    n % 8 == 7 ? NULL : "# TYPE c counter\nc 1\n");
	}
	gateway_push(&g, PUSH_DELETE, "/plain3", "", ERR_NONE);
	gateway_push(&g, PUSH_PUT, "/plain2", "# TYPE a counter\na 1\n", ERR_INVALID);
}

static bool find(struct store *s, struct str key, struct arena *a, struct group_copy *ret)
{
	uint32_t cursor = 0;

	while (store_copy_group(s, &cursor, a, ret) > 0)
		if (str_eq(ret->key, key))
			return true;
	return false;
}

static bool same(const struct group_copy *a, const struct group_copy *b)
{
	bool same = a->n_families == b->n_families && a->pushed_at == b->pushed_at;

	for (uint32_t i = 0; same && i < a->n_families; i++)
		same = str_eq(a->families[i].text, b->families[i].text) &&
		       str_eq(a->families[i].name, b->families[i].name);
	return same;
}

/* but: the key of a group of which a row is lost. */
static void check_others(struct store *s, struct str but, const char *what)
{
	CLEANUP(arena_done) struct arena a;
	struct group_copy was, is;
	uint32_t cursor = 0;

	arena_init(&a, ARENA_MUST);
	while (store_copy_group(g.store, &cursor, &a, &was) > 0) {
		if (str_eq(was.key, but))
			continue;
		ck_assert_msg(find(s, was.key, &a, &is), "%s: %.*s is lost", what,
			      STR_ARG(was.key));
		ck_assert_msg(same(&was, &is), "%s: %.*s differs", what, STR_ARG(was.key));
		arena_reset(&a);
	}
}

static void check_without(const bool *lost, struct str but, const char *what)
{
	struct salvage *sv = salvage_new();
	struct store *s = store_new(&(struct store_limits){ UINT64_MAX, UINT64_MAX });
	struct salvage_counts counts;
	struct err err = { 0 };

	for (size_t i = 0; i < g.rows.n_rows; i++)
		if (!lost[i])
			salvage_row(sv, &g.rows.rows[i], true);
	ck_assert_msg(salvage_into(sv, s, &counts, &err) == 0, "%s: %s", what, err.msg);
	check_others(s, but, what);
	salvage_free(sv);
	store_free(s);
}

START_TEST(one_row)
{
	make_history();
	CLEANUP(freep) bool *lost = mem_zalloc(g.rows.n_rows * sizeof(*lost));

	for (size_t i = 0; i < g.rows.n_rows; i++) {
		char what[60];

		snprintf(what, sizeof(what), "without row %zu, of kind %d", i + 1,
			 (int)g.rows.rows[i].kind);
		lost[i] = true;
		check_without(lost, store_group_key(g.store, g.rows.rows[i].group), what);
		lost[i] = false;
	}
	gateway_done(&g);
}
END_TEST

/* Of one group, whichever they are. */
START_TEST(some_rows)
{
	make_history();
	CLEANUP(freep) bool *lost = mem_zalloc(g.rows.n_rows * sizeof(*lost));
	uint64_t rng = (uint64_t)_i + 1;

	for (int n = 0; n < 40; n++) {
		uint64_t id = g.rows.rows[rng_below(&rng, (uint32_t)g.rows.n_rows)].group;
		unsigned one_in = 1 + rng_below(&rng, 8);

		for (size_t i = 0; i < g.rows.n_rows; i++)
			lost[i] = id && g.rows.rows[i].group == id && rng_one_in(&rng, one_in);
		check_without(lost, store_group_key(g.store, id), "without some");
	}
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("salvage_rows");

	tcase_add_test(tc, one_row);
	tcase_add_loop_test(tc, some_rows, 0, 10);
	tcase_set_timeout(tc, 60);
	return run_cases("salvage_rows", tc);
}
