#include "base/utf8.h"

#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/run.h"

static const struct {
	const char *name;
	struct str bytes;
	uint32_t cp; /* of the first code point */
	unsigned len;
} rows[] = {
	{ "NUL", STR("\0"), 0, 1 },
	{ "ASCII", STR("a"), 'a', 1 },
	{ "last of 1", STR("\x7f"), 0x7F, 1 },
	{ "first of 2", STR("\xc2\x80"), 0x80, 2 },
	{ "e acute", STR("\xc3\xa9"), 0xE9, 2 },
	{ "last of 2", STR("\xdf\xbf"), 0x7FF, 2 },
	{ "first of 3", STR("\xe0\xa0\x80"), 0x800, 3 },
	{ "before the surrogates", STR("\xed\x9f\xbf"), 0xD7FF, 3 },
	{ "after the surrogates", STR("\xee\x80\x80"), 0xE000, 3 },
	{ "replacement character", STR("\xef\xbf\xbd"), 0xFFFD, 3 },
	{ "last of 3", STR("\xef\xbf\xbf"), 0xFFFF, 3 },
	{ "first of 4", STR("\xf0\x90\x80\x80"), 0x10000, 4 },
	{ "last of all", STR("\xf4\x8f\xbf\xbf"), 0x10FFFF, 4 },
	{ "more follows", STR("\xc3\xa9z"), 0xE9, 2 },
	{ "continuation first", STR("\x80"), UTF8_INVALID, 1 },
	{ "long form of NUL", STR("\xc0\x80"), UTF8_INVALID, 1 },
	{ "long form of DEL", STR("\xc1\xbf"), UTF8_INVALID, 1 },
	{ "long form of 2", STR("\xe0\x9f\xbf"), UTF8_INVALID, 1 },
	{ "long form of 3", STR("\xf0\x8f\xbf\xbf"), UTF8_INVALID, 1 },
	{ "first surrogate", STR("\xed\xa0\x80"), UTF8_INVALID, 1 },
	{ "last surrogate", STR("\xed\xbf\xbf"), UTF8_INVALID, 1 },
	{ "one past the last", STR("\xf4\x90\x80\x80"), UTF8_INVALID, 1 },
	{ "lead byte F5", STR("\xf5\x80\x80\x80"), UTF8_INVALID, 1 },
	{ "lead byte FF", STR("\xff"), UTF8_INVALID, 1 },
	{ "2 cut after 1", STR("\xc3"), UTF8_INVALID, 1 },
	{ "3 cut after 1", STR("\xe2"), UTF8_INVALID, 1 },
	{ "3 cut after 2", STR("\xe2\x82"), UTF8_INVALID, 1 },
	{ "4 cut after 3", STR("\xf0\x9f\x98"), UTF8_INVALID, 1 },
	{ "2 without continuation", STR("\xc3z"), UTF8_INVALID, 1 },
	{ "3 broken at the last", STR("\xe2\x82z"), UTF8_INVALID, 1 },
	{ "4 broken at the second", STR("\xf0\xc3\xa9z"), UTF8_INVALID, 1 },
};

static bool valid_copy(struct str s)
{
	CLEANUP(freep) char *copy = mem_dup(s.p, s.n);

	return utf8_valid((struct str){ copy, s.n });
}

START_TEST(decode_row)
{
	CLEANUP(freep) char *copy = mem_dup(rows[_i].bytes.p, rows[_i].bytes.n);
	unsigned len = 99;
	uint32_t cp = utf8_decode((struct str){ copy, rows[_i].bytes.n }, &len);

	ck_assert_msg(cp == rows[_i].cp && len == rows[_i].len, "%s: %x, %u bytes", rows[_i].name,
		      cp, len);
}
END_TEST

/* At each place around the eight bytes that are looked at together. */
START_TEST(valid_row)
{
	bool valid = rows[_i].cp != UTF8_INVALID;

	for (unsigned before = 0; before < 20; before++) {
		for (unsigned after = 0; after < 20; after++) {
			CLEANUP(strbuf_done) struct strbuf b = { 0 };

			for (unsigned i = 0; i < before; i++)
				strbuf_addc(&b, 'x');
			strbuf_adds(&b, rows[_i].bytes);
			for (unsigned i = 0; i < after; i++)
				strbuf_addc(&b, 'y');
			ck_assert_msg(valid_copy(strbuf_str(&b)) == valid,
				      "%s: %u before, %u after", rows[_i].name, before, after);
		}
	}
}
END_TEST

/* At each place among ASCII of each length: a whole sequence, then half of one. */
START_TEST(sequence_within_ascii)
{
	for (size_t n = 2; n < 30; n++) {
		for (size_t i = 0; i + 2 <= n; i++) {
			char *p = malloc(n);

			ck_assert_ptr_nonnull(p);
			memset(p, 'a', n);
			ck_assert(utf8_valid((struct str){ p, n }));
			memcpy(p + i, "\xC3\xA9", 2);
			ck_assert(utf8_valid((struct str){ p, n }));
			p[i] = 'a';
			ck_assert(!utf8_valid((struct str){ p, n }));
			memcpy(p + i, "a\xC3", 2);
			ck_assert(!utf8_valid((struct str){ p, n }));
			free(p);
		}
	}
}
END_TEST

START_TEST(empty_is_valid)
{
	ck_assert(utf8_valid(STR_NULL));
	ck_assert(utf8_valid(STR("")));
}
END_TEST

static unsigned encoded_length(uint32_t cp)
{
	return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
}

START_TEST(every_code_point)
{
	for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
		char bytes[4];
		unsigned len = 0;

		if (cp == 0xD800)
			cp = 0xE000;

		unsigned n = utf8_encode(cp, bytes);
		struct str s = { bytes, n };

		/* A passed ck_assert() is a message, too: a million of them take a minute. */
		if (n != encoded_length(cp) || utf8_decode(s, &len) != cp || len != n ||
		    !utf8_valid(s))
			ck_abort_msg("U+%04X", cp);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("utf8");

	tcase_add_loop_test(tc, decode_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, valid_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, empty_is_valid);
	tcase_add_test(tc, sequence_within_ascii);
	tcase_add_test(tc, every_code_point);
	return run_cases("utf8", tc);
}
