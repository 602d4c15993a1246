/* The four name escapings, with names at the edge of each rule. */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/run.h"
#include "metrics/escape.h"

static const struct {
	struct str name;
	const char *want[N_ESCAPINGS]; /* underscores, allow-utf-8, dots, values */
} rows[] = {
	{ STR("classic_name:1"),
	  { "classic_name:1", "classic_name:1", "classic_name:1", "classic_name:1" } },
	{ STR("my.metric"), { "my_metric", "my.metric", "my_dot_metric", "U__my_2e_metric" } },
	{ STR("a b"), { "a_b", "a b", "a__b", "U__a_20_b" } },
	{ STR("1a"), { "_a", "1a", "__a", "U___31_a" } },
	{ STR("x_y.z"), { "x_y_z", "x_y.z", "x__y_dot_z", "U__x__y_2e_z" } },
	{ STR("\xc3\xa9"), { "_", "\xc3\xa9", "__", "U___e9_" } },
	{ STR("a\xf0\x9f\x98\x80"), { "a_", "a\xf0\x9f\x98\x80", "a__", "U__a_1f600_" } },
	{ STR("a\xff"), { "a_", "a\xff", "a__", "U__a_FFFD_" } },
	{ STR("a-1:"), { "a_1:", "a-1:", "a__1:", "U__a_2d_1:" } },
	{ STR(".1"), { "_1", ".1", "_dot_1", "U___2e_1" } },
	{ STR("U__x.y"), { "U__x_y", "U__x.y", "U____x_dot_y", "U__U____x_2e_y" } },
	{ STR(""), { "", "", "", "" } },
};

START_TEST(name_is_escaped)
{
	CLEANUP(freep) char *copy = mem_dup(rows[_i].name.p, rows[_i].name.n);
	struct str name = { copy, rows[_i].name.n };
	struct arena a;

	arena_init(&a, 1 << 20);
	for (int e = 0; e < N_ESCAPINGS; e++) {
		CLEANUP(strbuf_done) struct strbuf out = { 0 };

		escape_name((enum escaping)e, name, &out);
		ck_assert_msg(str_eq(strbuf_str(&out), str_of(rows[_i].want[e])), "%s: %s",
			      escaping_name((enum escaping)e), strbuf_z(&out));
		ck_assert(str_eq(escape_name_in((enum escaping)e, name, &a), strbuf_str(&out)));
	}
	arena_done(&a);
}
END_TEST

/* What becomes a form in dots or values is known by its underscores. */
START_TEST(what_a_form_is_made_of)
{
	bool classic = str_eq(rows[_i].name, str_of(rows[_i].want[ESCAPE_UNDERSCORES]));

	for (int e = ESCAPE_DOTS; e <= ESCAPE_VALUES; e++) {
		CLEANUP(strbuf_done) struct strbuf out = { 0 };
		struct str form = str_of(rows[_i].want[e]);

		if (classic)
			ck_assert(!escape_undo((enum escaping)e, form, &out));
		else
			ck_assert_msg(escape_undo((enum escaping)e, form, &out) &&
					      str_eq(strbuf_str(&out), str_of(rows[_i].want[0])),
				      "%s", rows[_i].want[e]);
	}
}
END_TEST

START_TEST(a_form_of_any_name_is_undone)
{
	static const char *const any[] = {
		"a",
		"_",
		"U__",
		"U__a",
		"U__x_2e_y",
		"a.b",
		"1",
		"a@base64",
		"\xc3\xa9",
		"_\xe2\x82\xac_",
		"\xf3\xbf\xbf\xbf",
		"a\xf4\x80\x80\x80_\xf4\x8f\xbf\xbf",
	};

	for (size_t i = 0; i < ARRAY_LEN(any); i++) {
		CLEANUP(strbuf_done) struct strbuf form = { 0 };
		char name[128];
		size_t n;

		escape_values(str_of(any[i]), &form);
		ck_assert_msg(unescape_values(strbuf_str(&form), name, &n), "%s", any[i]);
		ck_assert_msg(str_eq((struct str){ name, n }, str_of(any[i])), "%s", any[i]);
	}
}
END_TEST

START_TEST(by_name)
{
	enum escaping e = ESCAPE_DOTS;

	for (int i = 0; i < N_ESCAPINGS; i++) {
		ck_assert(escaping_by_name(str_of(escaping_name((enum escaping)i)), &e));
		ck_assert_int_eq((int)e, i);
	}
	ck_assert(!escaping_by_name(STR("Dots"), &e) && !escaping_by_name(STR(""), &e));
	ck_assert_int_eq((int)e, N_ESCAPINGS - 1);
}
END_TEST

START_TEST(out_of_memory)
{
	struct arena a;

	arena_init(&a, 0);
	ck_assert_ptr_null(escape_name_in(ESCAPE_VALUES, STR("a.b"), &a).p);
	arena_done(&a);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("escape");

	tcase_add_loop_test(tc, name_is_escaped, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(tc, what_a_form_is_made_of, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, a_form_of_any_name_is_undone);
	tcase_add_test(tc, by_name);
	tcase_add_test(tc, out_of_memory);
	return run_cases("escape", tc);
}
