/* Summed groups in the store: steps as tables, batches, ids of pushes and warnings. */
#include <stdlib.h>

#include "lib/gateway.h"
#include "lib/run.h"
#include "store/internal.h"
#include "store/summed.h"
#include "unit/store/summed_steps.h"

enum { MAX_STEPS = 8 };

static const struct {
	const char *steps[MAX_STEPS], *want;
} rows[] = {
	{ { "/j/pid/1|c 5", "/j/pid/2|c 3", "/j/pid/1|c 5" }, "c 8" },
	{ { "/j/pid/1|c 5", "DELETE /j/pid/1", "/j/pid/2|c 3" }, "c 8" },
	{ { "/j/pid/1/__start__/100|c 5", "DELETE /j/pid/1", "/j/pid/1/__start__/100|c 7" },
	  "c 7" },
	{ { "/j/pid/1/__start__/100|c 5", "/j/pid/1/__start__/200|c 2" }, "c 7" },
	{ { "/j/pid/1/__start__/100|c 5", "/j/pid/1/__start__/100|c 3" }, "c 5" },
	{ { "/j/pid/1/__start__/200|c 5", "/j/pid/1/__start__/100|c 9",
	    "/j/pid/1/__start__/200|c 6" },
	  "c 15" },
	{ { "/j/pid/1|c 5", "/j/pid/1|c 2" }, "c 7" },
	{ { "PUT /j/pid/1|c 5; d 1", "PUT /j/pid/1|d 2", "PUT /j/pid/1|c 6" }, "c 6; d 2" },
	{ { "/j/pid/1|c 0.1", "/j/pid/2|c 0.2", "/j/pid/3|c 0.3" }, "c 0.6" },
	{ { "/j/pid/3|c 0.3", "DELETE /j/pid/3", "/j/pid/2|c 0.2", "DELETE /j/pid/2",
	    "/j/pid/1|c 0.1" },
	  "c 0.6" },
	{ { "/j/pid/1|# TYPE h histogram; h_bucket{le=\"1\"} 10; h_bucket{le=\"+Inf\"} 10; h_sum "
	    "1; "
	    "h_count 10",
	    "/j/pid/2|# TYPE h histogram; h_bucket{le=\"2\"} 1; h_bucket{le=\"+Inf\"} 1; h_sum 1; "
	    "h_count 1" },
	  "h_bucket{le=\"+Inf\"} 11; h_bucket{le=\"2\"} 11; h_count 11; h_sum 2" },
	{ { "/j/pid/1|g_in_progress 2", "/j/pid/2|g_in_progress 3", "DELETE /j/pid/2" },
	  "g_in_progress 2" },
	{ { "/j/pid/1/__final__/1|c 5; g_in_progress 2; g 7" }, "c 5; g 7" },

	/* Other sources are other labels, and what has none is named by its start. */
	{ { "/j/worker/w/instance/i|c 5", "/j/worker/w/instance/k|c 1" }, "c 6" },
	{ { "/j/__source__/a|c 5", "/j/__source__/b|c 1" }, "c 6" },
	/* With __source__ no other label vanishes. */
	{ { "/j/pid/1/__source__/a|c 5", "/j/pid/1/__source__/b|c 1" }, "c{pid=\"1\"} 6" },
	{ { "/j/__start__/100|c 5", "/j/__start__/200|c 1", "/j/__start__/100|c 6" }, "c 7" },
	{ { "/j|c 5; # TYPE process_start_time_seconds gauge; process_start_time_seconds 100",
	    "/j|c 1; # TYPE process_start_time_seconds gauge; process_start_time_seconds 200" },
	  "c 6; process_start_time_seconds 200" },
	{ { "/j/pid/1|c{pid=\"1\",x=\"y\"} 5", "/j/pid/2|c{pid=\"2\",x=\"y\"} 5" },
	  "c{x=\"y\"} 10" },
	{ { "/j/pid/1|c 5", "/k/pid/1|c 3" }, "c 5; c{instance=\"\",job=\"k\"} 3" },
	{ { "/j/a/1/pid/1|c 5", "/j/pid/1|c 3" }, "c{a=\"1\",} 5; c 3" },

	/* A plain group becomes a summed one, and never turns back. */
	{ { "plain /j|c 4", "/j/pid/1|c 5" }, "c 9" },
	{ { "plain /j|c 4; g 3; d 1", "/j/pid/1|c 5" }, "c 9; d 1; g 3" },
	{ { "plain /j|c 4; g 3", "/j/pid/1|c 5; g 2", "DELETE /j/pid/1" }, "c 9; g 2" },
	{ { "plain /j|# HELP h it; # TYPE h histogram; h_bucket{le=\"1\"} 10; "
	    "h_bucket{le=\"+Inf\"} 10; "
	    "h_sum 1; h_count 10",
	    "/j/pid/1|c 1" },
	  "c 1; h_bucket{le=\"+Inf\"} 10; h_bucket{le=\"1\"} 10; h_count 10; h_sum 1" },
	{ { "plain /j|c -4; g 3", "/j/pid/1|d 5" }, "d 5; g 3" },
	{ { "/j/pid/1|c 5", "409 plain /j|c 4", "409 plain PUT /j|c 1" }, "c 5" },
	{ { "/j/pid/1|c 5", "plain DELETE /j", "plain /j|c 4" }, "c 4" },
	{ { "/j/pid/1|c 5", "DELETE /j", "/j/pid/1|c 4" }, "c 4" },
	{ { "plain /j|# TYPE x counter; x 4", "/j/pid/1|# TYPE x gauge; x 5" }, "x 5" },
	/* The plain group of the whole key would be counted twice. */
	{ { "plain /j/pid/1|c 4", "/j/pid/1|c 5" }, "c 5" },
	{ { "plain /j/pid/1|c 4", "plain /j/pid/2|c 3", "/j/pid/1|c 5" }, "c{pid=\"2\"} 3; c 5" },
	{ { "plain /j/pid/1|c 4", "DELETE /j/pid/1" }, "" },
	{ { "plain /j|c 4", "DELETE /j/pid/1" }, "c 4" },
	{ { "plain /j|c 4", "DELETE /j" }, "" },
	{ { "/j/__start__/100|c 5", "409 DELETE /j" }, "c 5" },
	{ { "/j/__start__/100|c 5; g_active 1", "DELETE /j/__start__/100" }, "c 5" },

	/* What is refused changes nothing. */
	{ { "/j/pid/1|c 5", "400 /j/pid/2|c -1; d 1" }, "c 5" },
	{ { "/j/pid/1|c 5", "400 /j/pid/2|c NaN" }, "c 5" },
	{ { "/j/pid/1|c 5", "400 /j/pid/2|d 1; # TYPE s summary; s_count NaN; s_sum 1" }, "c 5" },
	{ { "/j/pid/1|c 5", "400 /j/pid/1|# TYPE s summary; s_count -1; s_sum 1" }, "c 5" },
	{ { "/j/pid/1|c 5", "400 /j/pid/1|# TYPE s summary; s_count +Inf; s_sum 1" }, "c 5" },
	/* Sums that no summary can say. */
	{ { "/j/pid/1|# TYPE s summary; s_count 6e18; s_sum 1",
	    "/j/pid/2|# TYPE s summary; s_count 6e18; s_sum 1",
	    "/j/pid/3|# TYPE s summary; s_count 6e18; s_sum 1",
	    "/j/pid/4|# TYPE s summary; s_count 6e18; s_sum 1" },
	  "s_count 1.8446744073709552e+19; s_sum 4" },
	/* Increments are not what a source has counted so far. */
	{ { "/j/pid/1|c 5", "409 /j/__mode__/add|c 3", "/j/pid/1|c 6" }, "c 6" },
	{ { "/j/__mode__/add|c 5", "409 /j/pid/1|c 3", "/j/__mode__/add|c 1" }, "c 6" },
	{ { "/j/__mode__/add|c 5", "DELETE /j/__mode__/add", "/j/pid/1|c 3" }, "c 3" },
	{ { "/j/pid/1|c 5", "400 /j/pid/1|c 6; c 6" }, "c 5" },
	{ { "/j/pid/1|# TYPE x counter; x 5", "400 /j/pid/2|d 1; # TYPE x gauge; x 5" }, "x 5" },
	{ { "plain /k|# TYPE x gauge; x 5", "/j/pid/1|c 5",
	    "400 /j/pid/1|c 6; # TYPE x counter; x 1", "/j/pid/1|c 7" },
	  "c 7; x{instance=\"\",job=\"k\"} 5" },
	{ { "plain /k|# TYPE x gauge; x 5", "400 /j/pid/1|c 6; # TYPE x counter; x 1",
	    "/j/pid/1|c 7" },
	  "c 7; x{instance=\"\",job=\"k\"} 5" },
	{ { "plain /j/instance/|c 5", "400 /j/pid/1|c 6; d 1" }, "c 5" },
	{ { "plain /j|c 4", "400 /j/pid/1|c 5; # TYPE x counter; x -1", "plain /j|c 3" }, "c 3" },
	{ { "/j/pid/1|c 5", "/j/pid/1|c 4", "/j/pid/1|c 3", "/j/pid/1|c 2",
	    "409 /j/pid/1|c 1; d 1" },
	  "c 14" },

	/* Gauge histograms are as they were said last. */
	{ { "/j/pid/1|# TYPE h gaugehistogram; h_bucket{le=\"1\"} 3; h_bucket{le=\"+Inf\"} 4; "
	    "h_sum 7; h_count 4",
	    "/j/pid/2|# TYPE h gaugehistogram; h_bucket{le=\"2\"} 1; h_bucket{le=\"+Inf\"} 1; "
	    "h_sum 1; h_count 1; c 1" },
	  "c 1; h_bucket{le=\"+Inf\"} 1; h_bucket{le=\"2\"} 1; h_count 1; h_sum 1" },

	/* Increments. */
	{ { "/j/__mode__/add|c 5", "/j/__mode__/add|c 3", "/j/pid/1/__mode__/add|c 1" }, "c 9" },
	{ { "/j/__mode__/add|c 5; g_active 2", "PUT /j/__mode__/add|g_active 1" },
	  "c 5; g_active 1" },
	{ { "/j/__mode__/add|c 5", "400 /j/__mode__/add|# TYPE c gauge; c 1" }, "c 5" },
	{ { "/j/__mode__/add|c 5", "DELETE /j/pid/1/__mode__/add" }, "c 5" },
	{ { "/j/__mode__/add|c 5", "DELETE /j/__mode__/add" }, "" },
	{ { "plain /j|c 4", "/j/__mode__/add|c 5" }, "c 9" },
	{ { "/j/__mode__/add|# TYPE h histogram; h_bucket{le=\"1\"} 1; h_bucket{le=\"+Inf\"} 2; "
	    "h_sum 3; h_count 2",
	    "/j/__mode__/add|# TYPE h histogram; h_bucket{le=\"1\"} 1; h_bucket{le=\"+Inf\"} 1; "
	    "h_sum -1; h_count 1" },
	  "h_bucket{le=\"+Inf\"} 3; h_bucket{le=\"1\"} 2; h_count 3; h_sum 2" },
};

START_TEST(table_of_steps)
{
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++)
		step(&g, rows[_i].steps[i]);
	check_shows(&g, rows[_i].steps[0], rows[_i].want);
	gateway_done(&g);
}
END_TEST

/* Each step comes to nothing first, with all that follow, and the log is cleaned in between. */
START_TEST(batches_come_to_nothing)
{
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++) {
		CLEANUP(freep) char *before = all_of(g.store);
		double now = g.now;

		for (int k = i; k < MAX_STEPS && rows[_i].steps[k]; k++)
			stage(&g, rows[_i].steps[k]);
		store_rows(g.store);
		store_rollback(g.store);
		CLEANUP(freep) char *after = all_of(g.store);

		ck_assert_str_eq(after, before);
		check_log(&g, "rolled back");
		g.now = now;
		stage(&g, rows[_i].steps[i]);
		gateway_publish(&g);
		clean_all(&g);
		check_log(&g, rows[_i].steps[i]);
	}
	check_shows(&g, rows[_i].steps[0], rows[_i].want);
	gateway_done(&g);
}
END_TEST

/* All steps of a table in one batch. */
START_TEST(one_batch)
{
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++)
		stage(&g, rows[_i].steps[i]);
	gateway_publish(&g);
	check_shows(&g, rows[_i].steps[0], rows[_i].want);
	check_log(&g, rows[_i].steps[0]);
	gateway_done(&g);
}
END_TEST

START_TEST(ids_of_pushes)
{
	struct gateway g;

	init_with(&g, NULL);
	step(&g, "/j/__mode__/add/__push_id__/a|c 5");
	step(&g, "/j/__mode__/add/__push_id__/a|c 5");
	step(&g, "/j/__mode__/add/__push_id__/b|c 1");
	step(&g, "/k/__mode__/add/__push_id__/a|c 1");
	check_shows(&g, "once each", "c 6; c{instance=\"\",job=\"k\"} 1");
	clean_all(&g);
	check_log(&g, "cleaned");
	step(&g, "DELETE /j/__mode__/add");
	step(&g, "/j/__mode__/add/__push_id__/a|c 2");
	check_shows(&g, "another group", "c 2; c{instance=\"\",job=\"k\"} 1");
	gateway_done(&g);
}
END_TEST

static unsigned warnings_of(struct gateway *g, const char *text)
{
	step(g, text);
	return g->pushes[g->n - 1]->warnings;
}

START_TEST(warnings)
{
	struct gateway g;

	init_with(&g, NULL);
	ck_assert_uint_eq(warnings_of(&g, "/j/pid/1|c 5"), 0);
	ck_assert_uint_eq(warnings_of(&g, "/j/pid/1|c 2"), PUSH_RESET_ASSUMED);
	ck_assert_uint_eq(warnings_of(&g, "/j/pid/1/__start__/9|# TYPE d_total counter; d_total 2; "
					  "# TYPE d_created gauge; d_created 1"),
			  PUSH_INHERITED_COUNTS);
	ck_assert_uint_eq(warnings_of(&g, "/a/__mode__/add/__start__/9|c 2"), 0);
	ck_assert_uint_eq(warnings_of(&g, "/a/__mode__/add/__start__/8|c 2"), 0);
	ck_assert_uint_eq(warnings_of(&g, "/a/__mode__/add/__start__/9|c 2"), PUSH_ADD_REPEATED);
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("summed");

	tcase_add_loop_test(tc, table_of_steps, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, batches_come_to_nothing, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, one_batch, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, ids_of_pushes);
	tcase_add_test(tc, warnings);
	return run_cases("summed", tc);
}
