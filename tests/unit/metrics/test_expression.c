#include "metrics/expression.h"

#include <check.h>
#include <string.h>

#include "base/array.h"
#include "lib/run.h"

/* A text of many units and an end; what the expression says of it. */
static const struct {
	const char *expression, *unit, *end;
	size_t n;
	int want;
} texts[] = {
	/* Ways to match beyond number, of which none does. */
	{ "(a|aa)+", "a", "!", 65000, 0 },
	{ "(a|aa)+", "a", "", 65000, 1 },
	{ "((a*)*)*", "a", "!", 3000, 0 },
	{ "(a+)+[^a]", "a", "", 60, 0 },
	{ "(.*)(.*)(.*)(.*)(.*)x", "a", "", 20000, 0 },
	/* Few ways, each of which looks at the whole rest. */
	{ ".*y[^w]*[w]", "y", "", 65000, 0 },
	{ ".*y[^w]*[w]", "y", "w", 65000, 1 },
	/* The longest match counts, whichever comes first in the expression. */
	{ "a|ab|abc", "abc", "", 1, 1 },
	{ "a??b*?", "ab", "", 1, 1 },
	{ "(?i:PROD)|staging", "prod", "", 1, 1 },
	{ "(?P<x>a)(?<y>b)", "ab", "", 1, 1 },
	{ "a.b", "a\nb", "", 1, 1 },
	{ "a$", "a\n", "", 1, 0 },
	{ "[*+]+", "*", "", 3, 1 },
	/* What an automaton cannot do. */
	{ "(?=ab)a.*", "ab", "", 2, 1 },
	{ "(?>a|ab)c", "abc", "", 1, 0 },
	{ "a++a", "a", "", 3, 0 },
	{ "(?<n>a+)b\\k<n>", "ab", "a", 1, 1 },
	{ "(?=a)(a|aa)+", "a", "!", 65000, -1 },
	{ "([a-z]{1,60} ?){1,60}", "a", "!", 3000, -1 },
};

START_TEST(says_whether_it_matches)
{
	CLEANUP(expression_freep) struct expression *e = NULL;
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct err err;
	int r;

	for (size_t i = 0; i < texts[_i].n; i++)
		strbuf_addz(&text, texts[_i].unit);
	strbuf_addz(&text, texts[_i].end);
	ck_assert_int_eq(expression_parse(str_of(texts[_i].expression), &e, &err), 0);
	r = expression_match(e, strbuf_str(&text));
	ck_assert_msg(r == texts[_i].want, "%s: %d", texts[_i].expression, r);
	r = expression_match_quickly(e, strbuf_str(&text));
	ck_assert_msg(r == texts[_i].want, "%s, quickly: %d", texts[_i].expression, r);
}
END_TEST

START_TEST(what_re2_has_is_regular)
{
	static const struct {
		const char *expression;
		bool want;
	} list[] = {
		{ "[^@ ]+@[^@ ]+[.][a-z]+", true },
		{ "(?:a|(?i)b(?-s:c))*?[\\d\\pL]{2,}", true },
		{ "(?P<name>a)(?<name_2>b)", true },
		{ "(?<=a)b", false },
		{ "(?<!a)b", false },
		{ "a(?!b)", false },
		{ "(?|a|b)", false },
		{ "(?(?=a)a|b)", false },
		{ "(*COMMIT)a", false },
		{ "a{2}+", false },
		{ "a\\K", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		CLEANUP(expression_freep) struct expression *e = NULL;
		struct err err;

		ck_assert_msg(expression_parse(str_of(list[i].expression), &e, &err) == 0, "%s",
			      err.msg);
		ck_assert_msg(expression_is_regular(e) == list[i].want, "%s", list[i].expression);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("expression");

	tcase_add_loop_test(tc, says_whether_it_matches, 0, ARRAY_LEN(texts));
	tcase_add_test(tc, what_re2_has_is_regular);
	return run_cases("expression", tc);
}
