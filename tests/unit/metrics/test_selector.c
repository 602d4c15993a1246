/* Selectors: their grammar, what they match, and how long they may take. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/run.h"
#include "metrics/selector.h"

static struct label labels[] = {
	{ { "env", 3 }, { "a\nb", 3 } },
	{ { "instance", 8 }, { "h\xC3\xA9:1", 5 } },
	{ { "job", 3 }, { "ci-42", 5 } },
	{ { "odd.name", 8 }, { "x", 1 } },
};
static const struct key key = { .labels = labels, .n_labels = 4 };

/* Parses a copy without anything behind it, so that ASan sees one byte too many. */
static int parse(const char *text, struct selector **ret, struct err *err)
{
	CLEANUP(freep) char *copy = mem_dup(text, strlen(text));

	return selector_parse((struct str){ copy, strlen(text) }, ret, err);
}

static const struct {
	const char *text;
	int want;
} matching[] = {
	{ "{}", 1 },
	{ " { } ", 1 },
	{ "{job=\"ci-42\"}", 1 },
	{ "{job='ci-42'}", 1 },
	{ "{job=`ci-42`}", 1 },
	{ "{job=\"ci-4\"}", 0 },
	{ "{job=\"ci-422\"}", 0 },
	{ "{ job = \"ci-42\" , }", 1 },
	{ "{\"job\"=\"ci-42\"}", 1 },
	{ "{'odd.name'=\"x\"}", 1 },
	{ "{job!=\"ci-42\"}", 0 },
	{ "{job!=\"x\"}", 1 },
	/* A label that is not there is empty. */
	{ "{nope=\"\"}", 1 },
	{ "{nope!=\"\"}", 0 },
	{ "{nope=~\".*\"}", 1 },
	{ "{nope=~\".+\"}", 0 },
	{ "{nope!~\".+\"}", 1 },
	/* Expressions are about the whole value. */
	{ "{job=~\"ci-.*\"}", 1 },
	{ "{job=~\"ci\"}", 0 },
	{ "{job=~\"42\"}", 0 },
	{ "{job=~\"c|ci-42\"}", 1 },
	{ "{job=~\"ci-42|x\"}", 1 },
	{ "{job=~\"^ci-42$\"}", 1 },
	{ "{job=~\"ci-[0-9]{2}\"}", 1 },
	{ "{job=~\"ci-\\\\d+\"}", 1 },
	{ "{job=~`ci-\\d+`}", 1 },
	{ "{job=~\"CI-42\"}", 0 },
	{ "{job=~\"(?i)CI-42\"}", 1 },
	{ "{job!~\"ci-.*\"}", 0 },
	{ "{job!~\"x\"}", 1 },
	{ "{env=~\"a.b\"}", 1 },
	{ "{env=\"a\\nb\"}", 1 },
	{ "{env=\"a\\x0ab\"}", 1 },
	{ "{env=\"a\\012b\"}", 1 },
	{ "{env=\"a\\u000ab\"}", 1 },
	{ "{env=\"a\\U0000000ab\"}", 1 },
	{ "{env=~\"a\"}", 0 },
	{ "{env=~\"a\\n\"}", 0 },
	{ "{instance=~\"h.:1\"}", 1 },
	{ "{instance=\"h\\u00e9:1\"}", 1 },
	/* All of them. */
	{ "{job=\"ci-42\",env=\"x\"}", 0 },
	{ "{env=\"x\",job=\"ci-42\"}", 0 },
	{ "{job=\"ci-42\",job=~\"ci.*\",instance!=\"\"}", 1 },
};

START_TEST(matches)
{
	CLEANUP(selector_freep) struct selector *s = NULL;
	struct err err = { 0 };

	ck_assert_msg(parse(matching[_i].text, &s, &err) == 0, "%s: %s", matching[_i].text,
		      err.msg);
	ck_assert_msg(selector_match(s, &key, &err) == matching[_i].want, "%s", matching[_i].text);
	ck_assert(str_eq(selector_text(s), str_of(matching[_i].text)));
}
END_TEST

#define HOW "; write it like {job=~\"ci-.*\",instance!=\"\"}"

static const struct {
	const char *text, *says;
} refused[] = {
	{ "", "the selector \"\" is wrong at its byte 1: expected {" HOW },
	{ "job=\"x\"", "byte 1: expected {" },
	{ "up{job=\"x\"}", "byte 1: expected {" },
	{ "{", "byte 2: expected the name of a label" },
	{ "{,}", "byte 2: expected the name of a label" },
	{ "{job", "byte 5: expected =, !=, =~ or !~ (a metric name is not for here)" },
	{ "{\"up\"}", "byte 6: expected =, !=, =~ or !~" },
	{ "{job}", "byte 5: expected =, !=, =~ or !~" },
	{ "{job!\"x\"}", "expected =, !=, =~ or !~" },
	{ "{job==\"x\"}", "expected a value in quotes" },
	{ "{job=x}", "byte 6: expected a value in quotes" },
	{ "{job=\"x}", "byte 6: a string without an end" },
	{ "{job=\"x\n\"}", "byte 6: a string without an end" },
	{ "{job=\"x\"", "byte 9: expected , or }" },
	{ "{job=\"x\" env=\"y\"}", "byte 10: expected , or }" },
	{ "{job=\"x\",,}", "byte 10: expected the name of a label" },
	{ "{1a=\"x\"}", "byte 2: expected the name of a label" },
	{ "{job=\"x\"} or", "nothing can follow the }" },
	{ "{job=\"\\q\"}", "an unknown escape" },
	{ "{job='\\\"'}", "an unknown escape" },
	{ "{job=\"\\xf\"}", "an escape without a character" },
	{ "{job=\"\\400\"}", "an escape without a character" },
	{ "{job=\"\\ud800\"}", "an escape without a character" },
	{ "{job=\"\\xff\"}", "a string that is not valid UTF-8" },
	{ "{job=\"\\", "byte 8: an unknown escape" },
	{ "{__name__=\"up\"}", "groups have no metric name" },
	{ "{job=~\"(\"}", "the regular expression \"(\" is wrong at its byte 2: missing closing" },
	{ "{job=~\"a)\"}",
	  "the regular expression \"a)\" is wrong at its byte 2: unmatched closing" },
	{ "{job=~\"\\\\C\"}", "is wrong" },
	{ "{job=~\"((((x{999}){999}){999}){999})\"}", "regular expression is too large" },
};

START_TEST(refusals)
{
	struct selector *s = NULL;
	struct err err = { 0 };

	ck_assert_msg(parse(refused[_i].text, &s, &err) < 0, "%s", refused[_i].text);
	ck_assert_ptr_null(s);
	ck_assert_msg(strstr(err.msg, refused[_i].says) != NULL, "%s: %s", refused[_i].text,
		      err.msg);
}
END_TEST

START_TEST(every_beginning_is_refused)
{
	static const char text[] = "{job=~\"ci-.*\",env!=`x`,'odd.name'!~'\\n'}";
	struct selector *s = NULL;
	struct err err;

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		CLEANUP(freep) char *copy = mem_dup(text, n);

		ck_assert_int_lt(selector_parse((struct str){ copy, n }, &s, &err), 0);
	}
	ck_assert_int_eq(selector_parse(STR(text), &s, &err), 0);
	selector_free(s);
}
END_TEST

/* {a="",a="", ...} */
static void many_matchers(struct strbuf *b, int n)
{
	strbuf_addc(b, '{');
	for (int i = 0; i < n; i++)
		strbuf_addz(b, "a=\"\",");
	strbuf_addc(b, '}');
}

START_TEST(limits)
{
	CLEANUP(strbuf_done) struct strbuf most = { 0 };
	CLEANUP(strbuf_done) struct strbuf more = { 0 };
	CLEANUP(strbuf_done) struct strbuf longest = { 0 };
	struct selector *s = NULL;
	struct err err;

	many_matchers(&most, SELECTOR_MAX_MATCHERS);
	ck_assert_int_eq(selector_parse(strbuf_str(&most), &s, &err), 0);
	selector_free(s);
	many_matchers(&more, SELECTOR_MAX_MATCHERS + 1);
	ck_assert_int_lt(selector_parse(strbuf_str(&more), &s, &err), 0);
	ck_assert_str_eq(err.msg, "a selector has more than 64 matchers");

	strbuf_addz(&longest, "{a=\"");
	while (longest.n < SELECTOR_MAX_TEXT - 2)
		strbuf_addc(&longest, 'x');
	strbuf_addz(&longest, "\"}");
	ck_assert_int_eq(selector_parse(strbuf_str(&longest), &s, &err), 0);
	selector_free(s);
	strbuf_addc(&longest, ' ');
	ck_assert_int_lt(selector_parse(strbuf_str(&longest), &s, &err), 0);
	ck_assert_str_eq(err.msg, "a selector has 8193 bytes, at most 8192 are allowed");
}
END_TEST

/* Would take longer than the machine lives. */
START_TEST(backtracking_ends)
{
	static const char *const texts[] = { "{job=~\"(?=a)(a|aa)+\"}", "{job!~\"(?=a)(a|aa)+\"}",
					     "{job=~\"(?=a)(a*)*b\"}" };
	struct label job = { STR("job"), STR_NULL };
	const struct key slow = { .labels = &job, .n_labels = 1 };
	CLEANUP(strbuf_done) struct strbuf value = { 0 };

	for (int i = 0; i < 5000; i++)
		strbuf_addc(&value, 'a');
	strbuf_addc(&value, '!');
	job.value = strbuf_str(&value);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(selector_freep) struct selector *s = NULL;
		struct err err = { 0 };

		ck_assert_int_eq(parse(texts[i], &s, &err), 0);
		ck_assert_int_eq(selector_match(s, &slow, &err), -1);
		ck_assert_ptr_nonnull(strstr(err.msg, "takes too long on the value \"aaaa"));
		ck_assert_int_eq(selector_match(s, &key, &err), i == 1);
	}
}
END_TEST

START_TEST(what_matches_no_label)
{
	static const struct {
		const char *text;
		bool want;
	} selectors[] = {
		{ "{}", true },           { "{a=\"\"}", true },
		{ "{a!=\"x\"}", true },   { "{a=~\"x*\",b!~\"y\"}", true },
		{ "{a=\"x\"}", false },   { "{a=\"\",b!=\"\"}", false },
		{ "{a=~\".+\"}", false }, { "{a!~\".*\"}", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
		CLEANUP(selector_freep) struct selector *s = NULL;
		struct err err;

		ck_assert_int_eq(parse(selectors[i].text, &s, &err), 0);
		ck_assert_msg(selector_matches_empty(s) == selectors[i].want, "%s",
			      selectors[i].text);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("selector");

	tcase_add_loop_test(tc, matches, 0, (int)ARRAY_LEN(matching));
	tcase_add_loop_test(tc, refusals, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(tc, every_beginning_is_refused);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, what_matches_no_label);
	tcase_add_test(tc, backtracking_ends);
	return run_cases("selector", tc);
}
