#include <check.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "lib/run.h"

/* What Go's encoding/json prints for a string, observed in the gateway's API. */
static const struct {
	const char *name;
	struct str in;
	const char *out;
} rows[] = {
	{ "empty", STR_NULL, "\"\"" },
	{ "plain", { "abc 123", 7 }, "\"abc 123\"" },
	{ "quote and backslash", { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
	{ "slash", { "a/b", 3 }, "\"a/b\"" },
	{ "short escapes", { "\b\f\n\r\t", 5 }, "\"\\b\\f\\n\\r\\t\"" },
	{ "NUL", { "a\0b", 3 }, "\"a\\u0000b\"" },
	{ "other controls", { "\x01\x0B\x1F", 3 }, "\"\\u0001\\u000b\\u001f\"" },
	{ "DEL", { "\x7F", 1 }, "\"\x7F\"" },
	{ "HTML", { "<a&b>", 5 }, "\"\\u003ca\\u0026b\\u003e\"" },
	{ "apostrophe", { "'", 1 }, "\"'\"" },
	{ "two bytes", { "\xC3\xA9", 2 }, "\"\xC3\xA9\"" },
	{ "three bytes", { "\xE2\x82\xAC", 3 }, "\"\xE2\x82\xAC\"" },
	{ "four bytes", { "\xF0\x9F\x98\x80", 4 }, "\"\xF0\x9F\x98\x80\"" },
	{ "line separators", { "\xE2\x80\xA8\xE2\x80\xA9", 6 }, "\"\\u2028\\u2029\"" },
	{ "their neighbour", { "\xE2\x80\xA7", 3 }, "\"\xE2\x80\xA7\"" },
	{ "replacement character", { "\xEF\xBF\xBD", 3 }, "\"\xEF\xBF\xBD\"" },
	{ "invalid byte",
	  { "a\xFF"
	    "b",
	    3 },
	  "\"a\\ufffdb\"" },
	{ "each invalid byte", { "\xFF\xFE", 2 }, "\"\\ufffd\\ufffd\"" },
	{ "cut short", { "a\xE2\x82", 3 }, "\"a\\ufffd\\ufffd\"" },
	{ "surrogate", { "\xED\xA0\x80", 3 }, "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "overlong", { "\xC0\x80", 2 }, "\"\\ufffd\\ufffd\"" },
};

START_TEST(string_row)
{
	CLEANUP(freep) char *copy = mem_dup(rows[_i].in.p, rows[_i].in.n);
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	strbuf_addz(&out, "x:");
	json_add_string(&out, (struct str){ copy, rows[_i].in.n });
	ck_assert_msg(strcmp(strbuf_z(&out) + 2, rows[_i].out) == 0, "%s: got %s", rows[_i].name,
		      strbuf_z(&out));
	ck_assert_int_eq(memcmp(out.p, "x:", 2), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("json");

	tcase_add_loop_test(tc, string_row, 0, (int)ARRAY_LEN(rows));
	return run_cases("json", tc);
}
