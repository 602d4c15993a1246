/* The limits of the whole store: at them, one past them, and when they have been lowered. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/gateway.h"
#include "lib/run.h"

START_TEST(limit_of_groups)
{
	struct gateway g;

	gateway_init(&g, 2, 1000);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/k", "a 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/l", "a 1\n", ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/l", "a 1 1\n", ERR_INVALID);
	gateway_check_counts(&g, 2, 6);
	/* Those that are there go on. */
	gateway_push(&g, PUSH_PUT, "/k", "a 2\nb 1\n", 0);
	gateway_push(&g, PUSH_DELETE, "/l", "", 0);
	gateway_push(&g, PUSH_DELETE, "/j", "", 0);
	gateway_push(&g, PUSH_PUT, "/l", "a 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\n", ERR_STORE_FULL);
	gateway_check_counts(&g, 2, 7);
	/* Within one batch, too. */
	gateway_stage(&g, &(struct gateway_push){ PUSH_DELETE, "/l", "", 0 });
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", "a 1\n", 0 });
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/l", "a 1\n", ERR_STORE_FULL });
	gateway_publish(&g);
	gateway_check_counts(&g, 2, 7);
	gateway_done(&g);
}
END_TEST

START_TEST(limit_of_series)
{
	struct gateway g;

	gateway_init(&g, 100, 10);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\nb 1\nc 1\nd 1\ne 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/k", "a 1\n", 0);
	gateway_check_counts(&g, 2, 10);
	gateway_push(&g, PUSH_POST, "/k", "b 1\n", ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/k", "a 1\nb 1\n", ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/l", "", ERR_STORE_FULL);
	gateway_check_counts(&g, 2, 10);
	/* As many as before, and fewer. */
	gateway_push(&g, PUSH_PUT, "/k", "z 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/j", "# TYPE s summary\ns_sum 1\nc 1\nd 1\ne 1\n", 0);
	gateway_check_counts(&g, 2, 10);
	/* Lines count: one summary of three against two samples. */
	gateway_push(&g, PUSH_PUT, "/j", "# TYPE s summary\ns{quantile=\"1\"} 1\nc 1\nd 1\ne 1\n",
		     ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/k", "", 0);
	gateway_check_counts(&g, 2, 9);
	/* Room for one, but not for a group. */
	gateway_push(&g, PUSH_PUT, "/l", "", ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\n", 0);
	gateway_check_counts(&g, 2, 5);
	gateway_done(&g);
}
END_TEST

static void check_failed(struct gateway *g, const char *job, bool failed)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	char line[128];

	exposed_add(g->store, &text);
	snprintf(line, sizeof(line), "push_failure_time_seconds{instance=\"\",job=\"%s\"} 0\n",
		 job);
	ck_assert(failed == (strstr(strbuf_z(&text), line) == NULL));
}

/* A push that is over a limit makes no group; a group that is there is seen to fail. */
START_TEST(room_for_the_group_only)
{
	struct gateway g;
	size_t n;

	gateway_init(&g, 100, 2);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\n", ERR_STORE_FULL);
	gateway_check_counts(&g, 0, 0);
	ck_assert_uint_eq(g.rows.n_rows, 0);
	gateway_push(&g, PUSH_PUT, "/j", "", ERR_NONE);
	gateway_check_counts(&g, 1, 2);
	check_failed(&g, "j", false);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\n", ERR_STORE_FULL);
	gateway_check_counts(&g, 1, 2);
	check_failed(&g, "j", true);
	/* It ends and is made again in one batch, and the second does not come to anything. */
	gateway_stage(&g, &(struct gateway_push){ PUSH_DELETE, "/j", "", ERR_NONE });
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", "a 1\n", ERR_STORE_FULL });
	gateway_publish(&g);
	gateway_check_counts(&g, 0, 0);
	/* A batch in which it is refused first. */
	n = g.rows.n_rows;
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", "a 1\n", ERR_STORE_FULL });
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", "", ERR_NONE });
	gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", "a 1\n", ERR_STORE_FULL });
	gateway_publish(&g);
	gateway_check_counts(&g, 1, 2);
	check_failed(&g, "j", true);
	ck_assert_uint_eq(g.rows.n_rows, n + 3);
	gateway_done(&g);
}
END_TEST

/* The same of the limits of rules; what contradicts makes the group. */
START_TEST(rules_make_no_group)
{
	static const struct gateway_push pushes[] = {
		{ PUSH_PUT, "/j", "a{x=\"1\"} 1\na{x=\"2\"} 1\na{x=\"3\"} 1\n",
		  ERR_RULE_TOO_LARGE },
		{ PUSH_POST, "/j", "a{x=\"v\"} 1\n", ERR_RULE_FULL },
	};
	struct gateway g;

	gateway_init(&g, 100, 100);
	gateway_rules(&g, "rules:\n- match: '{}'\n  limits: {series: 2, label_values: 3}\n");
	gateway_push(&g, PUSH_PUT, "/k", "a{x=\"1\"} 1\na{x=\"2\"} 1\n", ERR_NONE);
	gateway_push(&g, PUSH_PUT, "/l", "a{x=\"3\"} 1\n", ERR_NONE);
	for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
		gateway_push(&g, pushes[i].mode, pushes[i].path, pushes[i].body, pushes[i].reason);
		gateway_check_counts(&g, 2, 7);
	}
	gateway_push(&g, PUSH_PUT, "/m", "# TYPE a counter\na 1\n", ERR_INVALID);
	gateway_check_counts(&g, 3, 9);
	check_failed(&g, "m", true);
	gateway_done(&g);
}
END_TEST

/* What was accepted under other limits is still there after a restart, and may not grow. */
START_TEST(lowered_limits)
{
	struct store *again = store_new(&(struct store_limits){ 1, 3 });
	struct gateway g;
	struct err err = { 0 };

	gateway_init(&g, 100, 100);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\nb 1\nc 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/k", "a 1\n", 0);
	gateway_push(&g, PUSH_POST, "/k", "b 1\n", 0);
	ck_assert_msg(load_store(&g.rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	store_free(g.store);
	g.store = again;
	gateway_check_counts(&g, 2, 9);
	gateway_push(&g, PUSH_POST, "/j", "d 1\n", ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/l", "", ERR_STORE_FULL);
	gateway_push(&g, PUSH_PUT, "/j", "a 2\nb 2\nc 2\n", 0);
	gateway_push(&g, PUSH_PUT, "/j", "a 2\n", 0);
	gateway_check_counts(&g, 2, 7);
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("limits");

	tcase_add_test(tc, limit_of_groups);
	tcase_add_test(tc, limit_of_series);
	tcase_add_test(tc, room_for_the_group_only);
	tcase_add_test(tc, rules_make_no_group);
	tcase_add_test(tc, lowered_limits);
	return run_cases("store limits", tc);
}
