/* What a rule says of which gauge. */
#include <stdlib.h>

#include "config/gauge_policies.h"
#include "lib/run.h"

static struct gauge_policies *made(void)
{
	struct gauge_policies *g = gauge_policies_new();
	struct err err;

	ck_assert_int_eq(gauge_policies_add(g, STR(".*_seconds"), MERGE_MAX, &err), 0);
	ck_assert_int_eq(gauge_policies_add(g, STR("tasks"), MERGE_LIVESUM, &err), 0);
	ck_assert_int_eq(gauge_policies_add(g, STR("last_seconds"), MERGE_MIN, &err), 0);
	ck_assert_int_eq(gauge_policies_add(g, STR("last_.*"), MERGE_LIVEMIN, &err), 0);
	ck_assert_int_eq(gauge_policies_add(g, STR("(?=a)(a+)+b"), MERGE_LIVEMIN, &err), 0);
	return g;
}

static const struct {
	const char *name;
	int found;
	enum merge_policy want;
} rows[] = {
	{ "tasks", 1, MERGE_LIVESUM },
	{ "task", 0, 0 },
	{ "my_tasks", 0, 0 },
	{ "last_seconds", 1, MERGE_MIN },   /* a name goes first */
	{ "last_x_seconds", 1, MERGE_MAX }, /* then the first expression */
	{ "last_x", 1, MERGE_LIVEMIN },
	{ "default", 0, 0 },
	{ "seconds", 0, 0 },
	{ "", 0, 0 },
};

START_TEST(find)
{
	CLEANUP(gauge_policies_unrefp) struct gauge_policies *g = made();
	enum merge_policy p = MERGE_DROP;
	struct err err;

	ck_assert_int_eq(gauge_policies_find(g, str_of(rows[_i].name), &p, &err), rows[_i].found);
	if (rows[_i].found)
		ck_assert_int_eq(p, rows[_i].want);
}
END_TEST

START_TEST(fallback)
{
	CLEANUP(gauge_policies_unrefp) struct gauge_policies *g = made();
	enum merge_policy p;
	struct str name;
	struct err err;

	ck_assert_int_eq(gauge_policies_default(NULL), MERGE_MOSTRECENT);
	ck_assert_int_eq(gauge_policies_find(NULL, STR("tasks"), &p, &err), 0);
	ck_assert_int_eq(gauge_policies_default(g), MERGE_MOSTRECENT);
	ck_assert_uint_eq(gauge_policies_count(g), 5);
	ck_assert_int_eq(gauge_policies_add(g, STR("default"), MERGE_LIVEMAX, &err), 0);
	ck_assert_int_eq(gauge_policies_default(g), MERGE_LIVEMAX);
	ck_assert_uint_eq(gauge_policies_count(g), 6);
	name = gauge_policies_at(g, 0, &p);
	ck_assert(str_eq(name, STR("default")) && p == MERGE_LIVEMAX);
	name = gauge_policies_at(g, 2, &p);
	ck_assert(str_eq(name, STR("tasks")) && p == MERGE_LIVESUM);
}
END_TEST

START_TEST(refused)
{
	CLEANUP(gauge_policies_unrefp) struct gauge_policies *g = made();
	struct str slow = STR(
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacb");
	enum merge_policy p;
	struct err err;

	ck_assert_int_eq(gauge_policies_add(g, STR("tasks"), MERGE_MAX, &err), -1);
	ck_assert_str_eq(err.msg, "\"tasks\" is there twice");
	ck_assert_int_eq(gauge_policies_add(g, STR("(x"), MERGE_MAX, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "the regular expression \"(x\" is wrong"));
	ck_assert_int_eq(gauge_policies_find(g, slow, &p, &err), -1);
	ck_assert_ptr_nonnull(
		strstr(err.msg, "the regular expression \"(?=a)(a+)+b\" takes too long"));
	ck_assert_int_eq(err.reason, ERR_INVALID);
}
END_TEST

START_TEST(counted)
{
	struct gauge_policies *g = made(), *other = gauge_policies_ref(g);
	enum merge_policy p;
	struct err err;

	gauge_policies_unref(g);
	ck_assert_int_eq(gauge_policies_find(other, STR("tasks"), &p, &err), 1);
	gauge_policies_unref(other);
	gauge_policies_unref(NULL);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("gauge_policies");

	tcase_add_loop_test(tc, find, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, fallback);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, counted);
	return run_cases("gauge_policies", tc);
}
