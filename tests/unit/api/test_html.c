#include <check.h>

#include "api/html.h"
#include "lib/run.h"

static void expect(struct strbuf *b, const char *want)
{
	ck_assert_str_eq(strbuf_z(b), want);
	b->n = 0;
}

START_TEST(text_is_never_markup)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	html_add(&b, STR("<a href=\"x\">'&amp;</a>"));
	expect(&b, "&lt;a href=&#34;x&#34;&gt;&#39;&amp;amp;&lt;/a&gt;");
	html_add_cut(&b, STR("abc<"), 4);
	expect(&b, "abc&lt;");
	html_add_cut(&b, STR("abc<d"), 4);
	expect(&b, "abc&lt;…");
	/* A character is left out as a whole. */
	html_add_cut(&b, STR("abéd"), 3);
	expect(&b, "ab…");
	html_add_url_part(&b, STR("aZ09-._ /?&=\"<é%"));
	expect(&b, "aZ09-._%20%2F%3F%26%3D%22%3C%C3%A9%25");
}
END_TEST

static const struct {
	uint64_t n;
	const char *count, *size;
} numbers[] = {
	{ 0, "0", "0 B" },
	{ 999, "999", "999 B" },
	{ 1000, "1,000", "1.0 kB" },
	{ 9949, "9,949", "9.9 kB" },
	{ 9950, "9,950", "10 kB" },
	{ 999499, "999,499", "999 kB" },
	{ 999500, "999,500", "1.0 MB" },
	{ 61234567, "61,234,567", "61 MB" },
	{ UINT64_MAX, "18,446,744,073,709,551,615", "18446744 TB" },
};

START_TEST(numbers_are_written)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	html_add_count(&b, numbers[_i].n);
	expect(&b, numbers[_i].count);
	html_add_size(&b, numbers[_i].n);
	expect(&b, numbers[_i].size);
}
END_TEST

static const struct {
	double seconds;
	const char *want;
} durations[] = {
	{ -5, "0 s" },          { 0.9, "0 s" },          { 59.9, "59 s" },
	{ 60, "1 min" },        { 3599, "59 min" },      { 3600, "1 h" },
	{ 3660, "1 h 1 min" },  { 17999, "4 h 59 min" }, { 18060, "5 h" },
	{ 86399, "23 h" },      { 86400, "1 d" },        { 97200, "1 d 3 h" },
	{ 863999, "9 d 23 h" }, { 864000, "10 d" },      { 86400e4, "10,000 d" },
};

START_TEST(durations_are_written)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	html_add_duration(&b, durations[_i].seconds);
	expect(&b, durations[_i].want);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("html");

	tcase_add_test(tc, text_is_never_markup);
	tcase_add_loop_test(tc, numbers_are_written, 0, ARRAY_LEN(numbers));
	tcase_add_loop_test(tc, durations_are_written, 0, ARRAY_LEN(durations));
	return run_cases("html", tc);
}
