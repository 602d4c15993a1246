/* Passwords in URLs are not shown, wherever the URL stands; anything else stays as it is. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/secrets.h"
#include "lib/run.h"

static const struct {
	const char *text, *shown;
} cases[] = {
	{ "", "" },
	{ "unexpected abc", "unexpected abc" },
	{ "unexpected postgresql://joe:hunter2@db/x", "unexpected postgresql://joe:***@db/x" },
	{ "http://a:b@h", "http://a:*@h" },
	{ "http://:secret@h", "http://:***@h" },
	{ "http://joe@h:9091/x", "http://joe@h:9091/x" },
	{ "http://h:9091/metrics/job@base64/eA", "http://h:9091/metrics/job@base64/eA" },
	{ "GET http://h:9091: refused, give user:password@",
	  "GET http://h:9091: refused, give user:password@" },
	{ "http://h: status 401: give user and password as user:password@ in the URL",
	  "http://h: status 401: give user and password as user:password@ in the URL" },
	{ "http://joe:1234@h/", "http://joe:***@h/" },
	/* A password that should have been encoded. */
	{ "http://joe:hun/ter@2@h/", "http://joe:***@h/" },
	{ "http://joe:hun ter2@h/", "http://joe:***@h/" },
	{ "unexpected x=http://a:bcde@h (did you mean --x=http://a:bcde@h?)",
	  "unexpected x=http://a:***@h?)" },
	/* The message was cut short. */
	{ "unexpected http://joe:hunte...", "unexpected http://joe:***..." },
	{ "http://h:9091/a...", "http://h:9091/a..." },
	{ "postgresql://h/db?user=a&password=hunter2&x=1",
	  "postgresql://h/db?user=a&password=***&x=1" },
	{ "host=h password=hunter2 dbname=x", "host=h password=*** dbname=x" },
	{ "'password=ab'", "'password=**'" },
};

START_TEST(hidden)
{
	char text[200];

	snprintf(text, sizeof(text), "%s", cases[_i].text);
	hide_passwords(text);
	ck_assert_str_eq(text, cases[_i].shown);
	hide_passwords(text);
	ck_assert_str_eq(text, cases[_i].shown);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("secrets");

	tcase_add_loop_test(tc, hidden, 0, sizeof(cases) / sizeof(*cases));
	return run_cases("secrets", tc);
}
