/* Summed groups: limits of series, of sources and of their values. */
#include "lib/gateway.h"
#include "lib/run.h"
#include "store/internal.h"
#include "unit/store/summed_steps.h"

START_TEST(series_limit)
{
	struct gateway g;

	init_with(&g, NULL);
	gateway_rules(&g, "rules:\n- match: '{}'\n  limits: {series: 2}\n");
	step(&g, "/j/pid/1|c{x=\"1\"} 5");
	step(&g, "/j/pid/2|c{x=\"2\"} 5");
	step(&g, "507 rule /j/pid/1|c{x=\"1\"} 6; c{x=\"3\"} 5");
	step(&g, "/j/pid/1|c{x=\"1\"} 7");
	check_shows(&g, "series", "c{x=\"1\"} 7; c{x=\"2\"} 5");
	gateway_done(&g);
}
END_TEST

/* A group that a refused push would have made is not there, whatever comes before and after. */
START_TEST(refused_for_room)
{
	const struct source_limits lim = { .max_values = 2 };
	struct gateway g;

	init_with(&g, NULL);
	store_limit_sources(g.store, &lim);
	step(&g, "507 /j/pid/1|c 1; d 1; e 1");
	ck_assert_uint_eq(g.store->staged_groups, 0);
	stage(&g, "507 /j/pid/1|c 1; d 1; e 1");
	stage(&g, "/j/pid/1|c 1");
	stage(&g, "507 /k/pid/1|c 1; d 1; e 1");
	stage(&g, "400 /l/pid/1|c -1");
	stage(&g, "507 /l/pid/1|c 1; d 1; e 1");
	gateway_publish(&g);
	check_log(&g, "in one batch");
	check_shows(&g, "in one batch", "c 1");
	ck_assert_uint_eq(g.store->staged_groups, 2);
	gateway_done(&g);
}
END_TEST

/* Sources that are done make room, of this group and of others. */
START_TEST(room_for_values)
{
	const struct source_limits lim = { .max_values = 4 };
	struct gateway g;

	init_with(&g, NULL);
	store_limit_sources(g.store, &lim);
	step(&g, "/j/pid/1/__start__/1|c 1; d 1");
	step(&g, "507 /k/pid/1/__start__/1|c 1; d 1; e 1");
	step(&g, "DELETE /j/pid/1");
	step(&g, "/k/pid/1/__start__/1|c 1; d 1; e 1");
	ck_assert_uint_eq(g.store->folded.n, 1);
	/* Its own earlier start. */
	step(&g, "/k/pid/1/__start__/2|c 1; d 1; e 1");
	ck_assert_uint_eq(g.store->folded.n, 2);
	step(&g, "507 /k/pid/2/__start__/1|c 1; d 1; e 1");
	step(&g, "/k/pid/1/__start__/2|c 2; d 1; e 1");
	/* Who comes back goes on where it was. */
	step(&g, "DELETE /k/pid/1");
	step(&g, "/j/pid/1/__start__/1|c 1; d 1");
	step(&g, "/j/pid/1/__start__/1|c 2; d 1");
	check_shows(&g, "values",
		    "c 2; c{instance=\"\",job=\"k\"} 3; d 1; d{instance=\"\",job=\"k\"} 2; "
		    "e{instance=\"\",job=\"k\"} 2");
	gateway_done(&g);
}
END_TEST

/* Who is folded first: who has ended, who was followed by another start, who is silent longest. */
START_TEST(sources_limit)
{
	const struct group_options rule = { .has_max_sources = true, .max_sources = 3 };
	struct gateway g;

	init_with(&g, &rule);
	step(&g, "/j/pid/1/__start__/1|c 1");
	step(&g, "/j/pid/2/__start__/1|c 10");
	step(&g, "/j/pid/3/__start__/1|c 100");
	step(&g, "/j/pid/2/__start__/2|c 1000");
	ck_assert_uint_eq(g.store->folded.n, 1);
	/* pid 2, start 1 is in the base: this is not new. */
	step(&g, "/j/pid/2/__start__/1|c 12");
	check_shows(&g, "comes back", "c 1111");
	step(&g, "/j/pid/2/__start__/1|c 15");
	check_shows(&g, "goes on", "c 1114");
	step(&g, "DELETE /j/pid/3");
	step(&g, "/j/pid/9|c 10000");
	check_shows(&g, "ended first", "c 11114");
	step(&g, "/j/pid/3/__start__/1|c 101");
	check_shows(&g, "it was pid 3", "c 11114");
	clean_all(&g);
	check_log(&g, "cleaned");
	gateway_done(&g);
}
END_TEST

START_TEST(values_limit)
{
	struct gateway g;

	init_with(&g, NULL);
	store_limit_sources(g.store, &(struct source_limits){ .max_values = 3 });
	step(&g, "/j/pid/1|c 1; d 1");
	step(&g, "/j/pid/2|c 10");
	step(&g, "507 /j/pid/3|c 100");
	step(&g, "507 /k/pid/3|c 100");
	step(&g, "/j/pid/2|c 11");
	pass(&g, 901);
	/* Now these are silent. */
	step(&g, "/j/pid/3|c 100");
	check_shows(&g, "folded", "c 112; d 1");
	ck_assert_uint_eq(g.store->source_values, 1);
	step(&g, "/j/pid/1|c 2");
	check_shows(&g, "comes back", "c 112; d 1");
	gateway_done(&g);
}
END_TEST

/* A histogram of n buckets, which no other number has. */
static enum err_reason push_buckets(struct gateway *g, const char *path, unsigned number,
				    unsigned n)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct err err = { 0 };
	enum err_reason reason;
	struct push *push;

	strbuf_addz(&body, "# TYPE h histogram\n");
	for (unsigned i = 0; i < n; i++)
		strbuf_addf(&body, "h_bucket{le=\"%u.%05u\"} 1\n", i, number);
	strbuf_addz(&body, "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n");
	push = make_sum_push(PUSH_POST, path, strbuf_z(&body), (double)number, &err);
	ck_assert_msg(push != NULL, "%s", err.msg);
	store_stage(g->store, push);
	reason = push->err.reason;
	store_publish(g->store);
	push_free(push);
	return reason;
}

/* The buckets of all that was ever said of a histogram stay, so they cannot be others each time. */
START_TEST(sets_of_buckets)
{
	static const struct {
		const char *path;
		unsigned n, most;
	} rows[] = {
		{ "/j/pid/1", 2, 1000 },
		{ "/k/pid/1", 9000, 11 },
		{ "/l/__mode__/add", 9000, 11 },
		{ "/m/pid/1", 150000, 1 },
	};
	struct gateway g;

	gateway_init(&g, 100, 1000000);
	sum_push_rule(NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned number = 1;

		while (push_buckets(&g, rows[i].path, number, rows[i].n) == ERR_NONE)
			number++;
		ck_assert_uint_eq(number - 1, rows[i].most);
		ck_assert_int_eq(push_buckets(&g, rows[i].path, number, rows[i].n), ERR_STORE_FULL);
		ck_assert_int_eq(push_buckets(&g, rows[i].path, 1, rows[i].n), ERR_NONE);
	}
	gateway_done(&g);
}
END_TEST

START_TEST(limits_of_sources_outlive_a_wipe)
{
	struct gateway g;

	init_with(&g, NULL);
	store_limit_sources(g.store, &(struct source_limits){ .max_values = 1 });
	ck_assert_int_eq(g.rows.base.ops->commit(&g.rows.base, store_wipe_rows(g.store, 1),
						 &(struct err){ 0 }),
			 STORAGE_COMMITTED);
	store_wipe(g.store);
	step(&g, "/j/pid/1|c 1");
	step(&g, "507 /j/pid/2|c 10");
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("summed_limits");

	tcase_add_test(tc, series_limit);
	tcase_add_test(tc, refused_for_room);
	tcase_add_test(tc, room_for_values);
	tcase_add_test(tc, sources_limit);
	tcase_add_test(tc, values_limit);
	tcase_add_test(tc, sets_of_buckets);
	tcase_add_test(tc, limits_of_sources_outlive_a_wipe);
	return run_cases("summed_limits", tc);
}
