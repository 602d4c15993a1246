/* Reasons of refusals without the name of the group that a push contradicts. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/gateway.h"
#include "lib/run.h"
#include "store/hidden_group.h"

#define COLLECTED "collected metric \"m\" is not a COUNTER"

static const struct {
	const char *why, *want;
} rows[] = {
	{ "", "" },
	{ "the gateway is full", "the gateway is full" },
	{ COLLECTED ": another group has it as COUNTER, this push says GAUGE",
	  COLLECTED ": another group has it as COUNTER, this push says GAUGE" },
	{ COLLECTED ": other groups have it with that type, this push says GAUGE",
	  COLLECTED ": other groups have it with that type, this push says GAUGE" },
	{ COLLECTED ": group {job=\"secret\"} has it as COUNTER, this push says GAUGE",
	  COLLECTED ": another group has it as COUNTER, this push says GAUGE" },
	/* As a value of a label. */
	{ COLLECTED ": group {job=\"x has it as y: group z\",k=\"secret\"} has it as COUNTER, this",
	  COLLECTED ": another group has it as COUNTER, this" },
	/* As the name of the metric. */
	{ "collected metric \"m has it as y: group z\" is not a COUNTER: group {k=\"secret\"} has "
	  "it "
	  "as COUNTER",
	  "collected metric \"m has it as y: another group has it as COUNTER" },
	/* Cut short. */
	{ COLLECTED ": group {job=\"secret\"} has it a...", COLLECTED ": another group" },
	{ COLLECTED ": group {job=\"sec", COLLECTED ": another group" },
	{ COLLECTED ": group ", COLLECTED ": another group" },
	{ "collected metric \"m has it as y\" is not a COUNTER: group {job=\"secret",
	  "collected metric \"m has it as y\" is not a COUNTER: another group" },
};

START_TEST(what_is_left_of_it)
{
	struct arena a;
	struct str got;

	arena_init(&a, SIZE_MAX);
	got = reason_without_group(str_of(rows[_i].why), &a);
	ck_assert_msg(str_eq(got, str_of(rows[_i].want)), "%.*s", STR_ARG(got));
	arena_done(&a);
}
END_TEST

START_TEST(no_room)
{
	struct arena a;

	arena_init(&a, 1);
	ck_assert_ptr_null(reason_without_group(STR("x: group {a=\"b\"}"), &a).p);
	arena_done(&a);
}
END_TEST

/* It is what the store says. */
START_TEST(of_a_push)
{
	struct gateway g;
	struct arena a;
	struct str why, got;

	arena_init(&a, SIZE_MAX);
	gateway_init(&g, 10, 10);
	gateway_push(&g, PUSH_PUT, "/secret", "# TYPE m counter\nm 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/j", "# TYPE m gauge\nm 1\n", ERR_INVALID);
	why = str_of(g.pushes[1]->err.msg);
	ck_assert_ptr_nonnull(strstr(why.p, ": group {job=\"secret\"} has it as COUNTER"));
	got = reason_without_group(why, &a);
	ck_assert_ptr_null(memmem(got.p, got.n, "secret", 6));
	ck_assert_ptr_nonnull(
		memmem(got.p, got.n, ": another group has it as COUNTER, this push", 44));
	gateway_done(&g);
	arena_done(&a);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("hidden_group");

	tcase_add_loop_test(tc, what_is_left_of_it, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, of_a_push);
	return run_cases("hidden_group", tc);
}
