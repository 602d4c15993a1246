#include "base/str.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "lib/run.h"

static const struct {
	struct str a, b;
	int order;
	bool same_without_case;
} pairs[] = {
	{ STR(""), STR(""), 0, true },
	{ STR_NULL, STR(""), 0, true },
	{ STR_NULL, STR_NULL, 0, true },
	{ STR_NULL, STR("a"), -1, false },
	{ STR("a"), STR("a"), 0, true },
	{ STR("a"), STR("b"), -1, false },
	{ STR("a"), STR("ab"), -1, false },
	{ STR("b"), STR("ab"), 1, false },
	{ STR("B"), STR("a"), -1, false },
	{ STR("a\0b"), STR("a\0c"), -1, false },
	{ STR("a"), STR("a\0"), -1, false },
	{ STR("z"), STR("\xc3\xa9"), -1, false }, /* bytes are not signed */
	{ STR("Content-Type"), STR("content-tYPE"), -1, true },
	{ STR("@"), STR("`"), -1, false },
	{ STR("["), STR("{"), -1, false },
	{ STR("AZ"), STR("az"), -1, true },
	{ STR("\xc3\x89"), STR("\xc3\xa9"), -1, false }, /* ASCII only */
};

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

START_TEST(compare_row)
{
	struct str a = pairs[_i].a, b = pairs[_i].b;

	ck_assert_int_eq(sign(str_cmp(a, b)), pairs[_i].order);
	ck_assert_int_eq(sign(str_cmp(b, a)), -pairs[_i].order);
	ck_assert_int_eq(str_eq(a, b), pairs[_i].order == 0);
	ck_assert_int_eq(str_eq_nocase(a, b), pairs[_i].same_without_case);
	ck_assert_int_eq(str_eq_nocase(b, a), pairs[_i].same_without_case);
}
END_TEST

START_TEST(prefix_and_suffix)
{
	ck_assert(str_has_prefix(STR("label@base64"), STR("label")));
	ck_assert(!str_has_prefix(STR("label@base64"), STR("base64")));
	ck_assert(!str_has_prefix(STR("lab"), STR("label")));
	ck_assert(str_has_suffix(STR("label@base64"), STR("@base64")));
	ck_assert(str_has_suffix(STR("@base64"), STR("@base64")));
	ck_assert(!str_has_suffix(STR("base64"), STR("@base64")));
	ck_assert(!str_has_suffix(STR("label@BASE64"), STR("@base64")));
	ck_assert(str_has_prefix(STR("a"), STR("")) && str_has_suffix(STR("a"), STR("")));
	ck_assert(str_has_prefix(STR_NULL, STR_NULL) && str_has_suffix(STR_NULL, STR_NULL));
	ck_assert(!str_has_prefix(STR_NULL, STR("a")) && !str_has_suffix(STR_NULL, STR("a")));
}
END_TEST

START_TEST(buffer_grows)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	for (unsigned i = 0; i < 100000; i++)
		strbuf_addc(&b, (char)i);
	ck_assert_uint_eq(b.n, 100000);
	ck_assert_uint_ge(b.cap, b.n);
	for (unsigned i = 0; i < 100000; i++)
		if (b.p[i] != (char)i)
			ck_abort_msg("byte %u", i);
}
END_TEST

/* Each length around the sizes at which the buffer grows, in one piece. */
START_TEST(buffer_fits)
{
	for (size_t n = 0; n < 1100; n++) {
		CLEANUP(strbuf_done) struct strbuf b = { 0 };
		CLEANUP(freep) char *piece = mem_alloc(n);

		memset(piece, 'x', n);
		strbuf_add(&b, piece, n);
		strbuf_adds(&b, (struct str){ piece, n });
		ck_assert_uint_eq(b.n, 2 * n);
		ck_assert_uint_eq(strlen(strbuf_z(&b)), 2 * n);
		ck_assert_uint_eq(b.n, 2 * n);
	}
}
END_TEST

START_TEST(buffer_empty)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	ck_assert_ptr_null(strbuf_str(&b).p);
	strbuf_adds(&b, STR_NULL);
	strbuf_addz(&b, "");
	strbuf_addf(&b, "%s", "");
	ck_assert_ptr_nonnull(strbuf_reserve(&b, 0));
	ck_assert_uint_eq(b.n, 0);
	ck_assert_str_eq(strbuf_z(&b), "");
	strbuf_done(&b);
	ck_assert(b.p == NULL && b.n == 0 && b.cap == 0);
}
END_TEST

START_TEST(buffer_printf)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char expected[3000];

	for (int n = 0; n < 1000; n++) {
		b.n = 0;
		strbuf_addz(&b, "<");
		strbuf_addf(&b, "%0*d|%.*s", n, 7, STR_ARG(STR("ab")));
		snprintf(expected, sizeof(expected), "<%0*d|ab", n, 7);
		ck_assert_str_eq(strbuf_z(&b), expected);
	}
}
END_TEST

static const struct {
	struct str in;
	const char *out;
} quoted[] = {
	{ STR(""), "\"\"" },
	{ STR_NULL, "\"\"" },
	{ STR("job x"), "\"job x\"" },
	{ STR("a\"b\\c'd"), "\"a\\\"b\\\\c'd\"" },
	{ STR("\a\b\f\n\r\t\v"), "\"\\a\\b\\f\\n\\r\\t\\v\"" },
	{ STR("\0\x1f\x7f"), "\"\\x00\\x1f\\x7f\"" },
	{ STR("\x1b[0m"), "\"\\x1b[0m\"" },
	{ STR("\xff"), "\"\\xff\"" },
	{ STR("a\xc3"), "\"a\\xc3\"" },
	{ STR("\xe2\x82z"), "\"\\xe2\\x82z\"" },
	{ STR("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"" },
	{ STR("\xc3\xa9\xe2\x82\xac"), "\"\xc3\xa9\xe2\x82\xac\"" },
	{ STR("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"" },
	{ STR("\xef\xbf\xbd"), "\"\xef\xbf\xbd\"" }, /* U+FFFD itself is no error */
	{ STR("\xc2\x80\xc2\xa0"), "\"\\u0080\\u00a0\"" },
	{ STR("\xc2\xa1\xc2\xad"), "\"\xc2\xa1\\u00ad\"" },
	{ STR("\xe2\x80\x8b\xe2\x80\xa8"), "\"\\u200b\\u2028\"" },
	{ STR("\xe2\x80\x93"), "\"\xe2\x80\x93\"" }, /* en dash */
	{ STR("\xe3\x80\x80"), "\"\\u3000\"" },
	{ STR("\xee\x80\x80\xef\xbb\xbf\xef\xbf\xbf"), "\"\\ue000\\ufeff\\uffff\"" },
	{ STR("\xf4\x8f\xbf\xbf"), "\"\\U0010ffff\"" },
};

START_TEST(quote_row)
{
	CLEANUP(freep) char *copy = mem_dup(quoted[_i].in.p, quoted[_i].in.n);
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char buf[64];

	strbuf_add_quoted(&b, (struct str){ copy, quoted[_i].in.n });
	ck_assert_str_eq(strbuf_z(&b), quoted[_i].out);
	ck_assert_ptr_eq(str_quote(quoted[_i].in, buf, sizeof(buf)), buf);
	ck_assert_str_eq(buf, quoted[_i].out);
}
END_TEST

/* Whatever the size: in the buffer, with a NUL, valid UTF-8, and cut only when it must be. */
START_TEST(quote_cut)
{
	struct str in = quoted[_i].in;
	size_t whole = strlen(quoted[_i].out);

	for (size_t size = 5; size < 40; size++) {
		CLEANUP(freep) char *buf = mem_alloc(size);

		str_quote(in, buf, size);
		ck_assert_uint_lt(strlen(buf), size);
		ck_assert(utf8_valid(str_of(buf)));
		if (size > whole)
			ck_assert_str_eq(buf, quoted[_i].out);
		else
			ck_assert(str_has_suffix(str_of(buf), STR("...\"")));
	}
}
END_TEST

START_TEST(quote_cut_long)
{
	CLEANUP(freep) char *in = mem_alloc(100000);
	char buf[12];

	memset(in, 'x', 100000);
	ck_assert_str_eq(str_quote((struct str){ in, 100000 }, buf, sizeof(buf)), "\"xxxxxx...\"");
	ck_assert_str_eq(str_quote((struct str){ in, 9 }, buf, sizeof(buf)), "\"xxxxxxxxx\"");
	ck_assert_str_eq(str_quote((struct str){ in, 10 }, buf, sizeof(buf)), "\"xxxxxx...\"");
}
END_TEST

START_TEST(quote_cut_between_characters)
{
	CLEANUP(freep) char *in = mem_alloc(100000);
	char buf[12];

	for (unsigned i = 0; i + 2 <= 100000; i += 2)
		memcpy(in + i, "\xc3\xa9", 2);
	ck_assert_str_eq(str_quote((struct str){ in, 100000 }, buf, sizeof(buf)),
			 "\"\xc3\xa9\xc3\xa9\xc3\xa9...\"");
	ck_assert_str_eq(str_quote((struct str){ in, 100000 }, buf, sizeof(buf) - 1),
			 "\"\xc3\xa9\xc3\xa9...\"");
}
END_TEST

START_TEST(err_is_filled)
{
	struct err err = { 0 };

	ck_assert_int_eq(err_set(&err, ERR_INVALID, 7, "got \"%s\" in line %d", "x", 7), -1);
	ck_assert_int_eq(err.reason, ERR_INVALID);
	ck_assert_uint_eq(err.line, 7);
	ck_assert_str_eq(err.msg, "got \"x\" in line 7");
	err_prefix(&err, "text format: ");
	ck_assert_int_eq(err.reason, ERR_INVALID);
	ck_assert_uint_eq(err.line, 7);
	ck_assert_str_eq(err.msg, "text format: got \"x\" in line 7");
	err_set(&err, ERR_TOO_LARGE, 0, "%s", "");
	ck_assert_int_eq(err.reason, ERR_TOO_LARGE);
	ck_assert_uint_eq(err.line, 0);
	ck_assert_str_eq(err.msg, "");
}
END_TEST

/* With `ascii` letters in front, the cut goes through a character of each length. */
static void fill_message(char *text, size_t ascii, const char *character, size_t size)
{
	size_t n = strlen(character), at = ascii;

	memset(text, 'a', ascii);
	for (; at + n < size; at += n)
		memcpy(text + at, character, n);
	text[at] = '\0';
}

static void check_cut(const struct err *err)
{
	struct str msg = str_of(err->msg);

	ck_assert(utf8_valid(msg));
	ck_assert(str_has_suffix(msg, STR("...")));
	ck_assert_uint_le(msg.n, ERR_MSG_SIZE - 1);
	ck_assert_uint_ge(msg.n, ERR_MSG_SIZE - 1 - 3);
}

START_TEST(err_is_cut)
{
	static const char *const characters[] = { "x", "\xc3\xa9", "\xe2\x82\xac",
						  "\xf0\x9f\x98\x80" };
	char text[2 * ERR_MSG_SIZE];
	struct err err;

	for (size_t ascii = 0; ascii < 4; ascii++) {
		fill_message(text, ascii, characters[_i], sizeof(text));
		err_set(&err, ERR_INVALID, 1, "%s", text);
		check_cut(&err);
		err_prefix(&err, "again: ");
		check_cut(&err);
		ck_assert(str_has_prefix(str_of(err.msg), STR("again: ")));
		fill_message(text, ascii, characters[_i], ERR_MSG_SIZE - 2);
		err_set(&err, ERR_INVALID, 1, "%s", text);
		err_prefix(&err, "again: ");
		check_cut(&err);
	}
}
END_TEST

START_TEST(err_fits_exactly)
{
	char text[ERR_MSG_SIZE + 1];
	struct err err;

	memset(text, 'x', sizeof(text));
	text[ERR_MSG_SIZE - 1] = '\0';
	err_set(&err, ERR_INVALID, 1, "%s", text);
	ck_assert_str_eq(err.msg, text);
	err_set(&err, ERR_INVALID, 1, "%s", text + 1);
	err_prefix(&err, "x");
	ck_assert_str_eq(err.msg, text);
	text[ERR_MSG_SIZE - 1] = 'x';
	text[ERR_MSG_SIZE] = '\0';
	err_set(&err, ERR_INVALID, 1, "%s", text);
	check_cut(&err);
	ck_assert_uint_eq(strlen(err.msg), ERR_MSG_SIZE - 1);
}
END_TEST

static const struct {
	const char *name, *text;
	size_t max;
	const char *lines; /* the first that are taken */
} takes[] = {
	{ "nothing", "", 4, "" },
	{ "all of it", "a\nb\n", 4, "a\nb\n" },
	{ "as many as there is room for", "a\nb\nc\n", 5, "a\nb\n" },
	{ "a line that is longer", "abcdef\ng\n", 3, "abcdef\n" },
	{ "no line feed", "abcdef", 3, "abcdef" },
	{ "no line feed at the end, with room", "a\nb", 3, "a\nb" },
	{ "the last line without one", "a\nbcd", 3, "a\n" },
};

START_TEST(lines_are_taken)
{
	struct str text = str_of(takes[_i].text), whole = text;
	struct str lines = str_take_lines(&text, takes[_i].max);

	ck_assert_msg(str_eq(lines, str_of(takes[_i].lines)), "%s: %.*s", takes[_i].name,
		      STR_ARG(lines));
	ck_assert_ptr_eq(text.p, whole.p + lines.n);
	ck_assert_uint_eq(text.n + lines.n, whole.n);
}
END_TEST

START_TEST(copy_is_cut_to_its_room)
{
	char to[4] = "???";

	str_copy_z(STR("abcd"), to, sizeof(to));
	ck_assert_str_eq(to, "abc");
	str_copy_z(STR("ab"), to, sizeof(to));
	ck_assert_str_eq(to, "ab");
	str_copy_z(STR_NULL, to, sizeof(to));
	ck_assert_str_eq(to, "");
	str_copy_z(STR("abcd"), to, 1);
	ck_assert_str_eq(to, "");
}
END_TEST

int main(void)
{
	TCase *slices = tcase_create("slices");
	TCase *buffers = tcase_create("buffers");
	TCase *errors = tcase_create("errors");

	tcase_add_loop_test(slices, compare_row, 0, (int)ARRAY_LEN(pairs));
	tcase_add_test(slices, prefix_and_suffix);
	tcase_add_loop_test(slices, lines_are_taken, 0, (int)ARRAY_LEN(takes));
	tcase_add_test(slices, copy_is_cut_to_its_room);
	tcase_add_test(buffers, buffer_grows);
	tcase_add_test(buffers, buffer_fits);
	tcase_add_test(buffers, buffer_empty);
	tcase_add_test(buffers, buffer_printf);
	tcase_add_loop_test(buffers, quote_row, 0, (int)ARRAY_LEN(quoted));
	tcase_add_loop_test(buffers, quote_cut, 0, (int)ARRAY_LEN(quoted));
	tcase_add_test(buffers, quote_cut_long);
	tcase_add_test(buffers, quote_cut_between_characters);
	tcase_add_test(errors, err_is_filled);
	tcase_add_loop_test(errors, err_is_cut, 0, 4);
	tcase_add_test(errors, err_fits_exactly);
	return run_cases("str", slices, buffers, errors);
}
