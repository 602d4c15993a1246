#include <check.h>

#include "api/params.h"
#include "lib/run.h"

static struct arena arena;
static struct params params;
static struct err err;

static int parse(const char *query)
{
	arena_reset(&arena);
	return params_parse(str_of(query), &arena, &params, &err);
}

static void setup(void)
{
	arena_init(&arena, ARENA_MUST);
}

static void teardown(void)
{
	arena_done(&arena);
}

START_TEST(pairs_are_decoded)
{
	ck_assert_int_eq(parse("a=1&b%5B%5D=x+y%26z&c&&d=%7B%7D=="), 0);
	ck_assert_uint_eq(params.n, 4);
	ck_assert(str_eq(params_get(&params, "a"), STR("1")));
	ck_assert(str_eq(params_get(&params, "b[]"), STR("x y&z")));
	ck_assert(str_eq(params_get(&params, "c"), STR("")));
	ck_assert(str_eq(params_get(&params, "d"), STR("{}==")));
	ck_assert_ptr_null(params_get(&params, "e").p);
	ck_assert_int_eq(parse(""), 0);
	ck_assert_uint_eq(params.n, 0);
}
END_TEST

START_TEST(what_is_malformed_is_refused)
{
	static const char *const queries[] = { "a=%", "a=%1", "%zz=1", "a=%ff", "a=\xc3" };

	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		ck_assert_msg(parse(queries[i]) < 0, "%s", queries[i]);
		ck_assert_int_eq(err.reason, ERR_INVALID);
	}
}
END_TEST

static int parse_some(const char *query)
{
	static const char *const names[] = { "own", "match[]" };

	arena_reset(&arena);
	return params_parse_some(str_of(query), names, ARRAY_LEN(names), &arena, &params, &err);
}

START_TEST(others_do_not_matter)
{
	static const char *const others[] = { "",      "a=own",  "a=%zz",   "%=1",
					      "%6=1",  "own2=%", "ow=%",    "=own",
					      "ow%6=", "own%00", "a;own=%", "match=%ff" };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		ck_assert_msg(parse_some(others[i]) == 0 && params.n == 0, "%s", others[i]);
		b.n = 0;
		strbuf_addf(&b, "%s&m%%61tch%%5b%%5D=x%%20y&%s&own&o%%77n=2", others[i], others[i]);
		ck_assert_msg(parse_some(strbuf_z(&b)) == 0 && params.n == 3, "%s", others[i]);
		ck_assert(str_eq(params.list[0].name, STR("match[]")));
		ck_assert(str_eq(params.list[0].value, STR("x y")));
		ck_assert(str_eq(params.list[1].name, STR("own")));
		ck_assert(str_eq(params.list[2].value, STR("2")));
	}
	ck_assert_int_lt(parse_some("a&own=%zz"), 0);
	ck_assert_int_lt(parse_some("a&match[]=%ff"), 0);
}
END_TEST

START_TEST(there_may_be_so_many)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	for (int i = 0; i < PARAMS_MAX; i++)
		strbuf_addz(&b, "a&");
	ck_assert_int_eq(parse(strbuf_z(&b)), 0);
	strbuf_addz(&b, "a");
	ck_assert_int_lt(parse(strbuf_z(&b)), 0);
}
END_TEST

START_TEST(strict_ones_know_all)
{
	static const char *const known[] = { "dry_run", "match[]" };

	ck_assert_int_eq(parse("match[]=a&match[]=b&dry_run=1"), 0);
	ck_assert_int_eq(params_check(&params, known, ARRAY_LEN(known), &err), 0);
	ck_assert_ptr_null(params_unknown(&params, known, ARRAY_LEN(known)));
	ck_assert_int_eq(parse("match[]=a&dryrun=1"), 0);
	ck_assert_int_lt(params_check(&params, known, ARRAY_LEN(known), &err), 0);
	ck_assert_str_eq(err.msg, "unknown parameter \"dryrun\": there are dry_run, match[]");
	ck_assert(str_eq(params_unknown(&params, known, ARRAY_LEN(known))->name, STR("dryrun")));
	ck_assert_int_eq(parse("dry_run=1&dry_run=0"), 0);
	ck_assert_int_lt(params_check(&params, known, ARRAY_LEN(known), &err), 0);
	ck_assert_str_eq(err.msg, "the parameter dry_run is there more than once");
}
END_TEST

START_TEST(values_have_types)
{
	uint64_t n = 7;
	bool flag = true;
	int64_t ns = 3;

	ck_assert_int_eq(parse("f=0&n=10&t=1h"), 0);
	ck_assert_int_eq(params_flag(&params, "f", &flag, &err), 1);
	ck_assert(!flag);
	ck_assert_int_eq(params_flag(&params, "none", &flag, &err), 0);
	ck_assert_int_eq(params_count(&params, "n", 1, 10, &n, &err), 1);
	ck_assert_uint_eq(n, 10);
	ck_assert_int_eq(params_count(&params, "none", 1, 10, &n, &err), 0);
	ck_assert_uint_eq(n, 10);
	ck_assert_int_eq(params_period(&params, "t", &ns, &err), 1);
	ck_assert_int_eq(ns, INT64_C(3600) * 1000000000);
	ck_assert_int_eq(parse("f=yes&n=11&m=-1&t=soon"), 0);
	ck_assert_int_lt(params_flag(&params, "f", &flag, &err), 0);
	ck_assert_int_lt(params_count(&params, "n", 1, 10, &n, &err), 0);
	ck_assert_str_eq(err.msg, "n has to be a number from 1 to 10");
	ck_assert_int_lt(params_count(&params, "m", 0, 10, &n, &err), 0);
	ck_assert_int_lt(params_period(&params, "t", &ns, &err), 0);
	ck_assert_int_eq(err.reason, ERR_INVALID);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("params");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, pairs_are_decoded);
	tcase_add_test(tc, what_is_malformed_is_refused);
	tcase_add_test(tc, others_do_not_matter);
	tcase_add_test(tc, there_may_be_so_many);
	tcase_add_test(tc, strict_ones_know_all);
	tcase_add_test(tc, values_have_types);
	return run_cases("params", tc);
}
