#include "base/base64.h"

#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/run.h"

/* Both slices fill their heap blocks, so that ASan sees one byte too many. */
static bool decode_copy(struct str in, struct strbuf *out, size_t *ret_at)
{
	CLEANUP(freep) char *copy = mem_dup(in.p, in.n);
	CLEANUP(freep) char *room = mem_alloc(in.n * 3 / 4 + 3);
	size_t n = 0;
	bool ok = base64url_decode((struct str){ copy, in.n }, room, &n, ret_at);

	strbuf_add(out, room, n);
	return ok;
}

static const struct {
	const char *name;
	struct str in, out;
} accepted[] = {
	{ "empty", STR(""), STR("") },
	{ "only padding", STR("="), STR("") },
	{ "more padding", STR("=="), STR("") },
	{ "whole quantum", STR("Zm9v"), STR("foo") },
	{ "two characters", STR("Zg"), STR("f") },
	{ "two characters, padded", STR("Zg=="), STR("f") },
	{ "three characters", STR("Zm8"), STR("fo") },
	{ "three characters, padded", STR("Zm8="), STR("fo") },
	{ "one padding too many", STR("Zm8=="), STR("fo") },
	{ "much padding", STR("Zm8======"), STR("fo") },
	{ "padding after a whole quantum", STR("Zm9v="), STR("foo") },
	{ "URL-safe alphabet", STR("Zm8-_w"), STR("fo>\xff") },
	{ "62 and 63", STR("-_-_"), STR("\xfb\xff\xbf") },
	{ "leftover bits of two", STR("Zm9vZh"), STR("foof") },
	{ "leftover bits of three", STR("Zm9"), STR("fo") },
	{ "LF at the end", STR("Zm9v\n"), STR("foo") },
	{ "CR and LF inside", STR("Z\rm\n9\r\nv"), STR("foo") },
	{ "only LF", STR("\n"), STR("") },
	{ "LF, then padding", STR("Zm8\n="), STR("fo") },
	{ "a NUL comes out", STR("AAAA"), STR("\0\0\0") },
	{ "my job", STR("bXkgam9i"), STR("my job") },
	{ "/a/b", STR("L2EvYg=="), STR("/a/b") },
};

START_TEST(accepted_row)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	size_t at = 0;

	ck_assert_msg(decode_copy(accepted[_i].in, &out, &at), "%s: refused", accepted[_i].name);
	ck_assert_msg(str_eq(strbuf_str(&out), accepted[_i].out), "%s: \"%s\"", accepted[_i].name,
		      strbuf_z(&out));
}
END_TEST

static const struct {
	const char *name;
	struct str in;
	size_t at;
	struct str before; /* what was decoded before the fault */
} refused[] = {
	{ "one leftover character", STR("A"), 1, STR("") },
	{ "one leftover, padded", STR("A==="), 1, STR("") },
	{ "one leftover after a quantum", STR("Zm9vA"), 5, STR("foo") },
	{ "one leftover and LF", STR("Zm9vA\n"), 6, STR("foo") },
	{ "padding inside", STR("Zm=9v"), 2, STR("") },
	{ "padding between quanta", STR("Zg==Zg=="), 2, STR("") },
	{ "padding, then LF", STR("Zm8=\n"), 3, STR("") },
	{ "nothing decodes", STR("!!"), 0, STR("") },
	{ "first quantum decodes", STR("Zm9v!!"), 4, STR("foo") },
	{ "half a quantum does not count", STR("Zm9vZm!!"), 6, STR("foo") },
	{ "plus", STR("Zm8+"), 3, STR("") },
	{ "slash", STR("Zm8/"), 3, STR("") },
	{ "blank", STR("Zm9v Zm9v"), 4, STR("foo") },
	{ "NUL", STR("Zm\0v"), 2, STR("") },
	{ "a byte above ASCII", STR("Zm9v\xda"), 4, STR("foo") },
};

START_TEST(refused_row)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	size_t at = 99;

	ck_assert_msg(!decode_copy(refused[_i].in, &out, &at), "%s: accepted", refused[_i].name);
	ck_assert_msg(at == refused[_i].at, "%s: at %zu", refused[_i].name, at);
	ck_assert_msg(str_eq(strbuf_str(&out), refused[_i].before), "%s: \"%s\"", refused[_i].name,
		      strbuf_z(&out));
}
END_TEST

START_TEST(null_slice)
{
	char out[3];
	size_t n = 99, at = 99;

	ck_assert(base64url_decode(STR_NULL, out, &n, &at));
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* Each byte value alone: 64 characters, CR and LF are taken. */
START_TEST(alphabet)
{
	unsigned taken = 0;

	for (int c = 0; c < 256; c++) {
		CLEANUP(strbuf_done) struct strbuf out = { 0 };
		const char quantum[] = { 'A', 'A', 'A', (char)c };
		size_t at = 0;

		if (decode_copy((struct str){ quantum, 4 }, &out, &at))
			taken++;
		else
			ck_assert_uint_eq(at, 3);
	}
	ck_assert_uint_eq(taken, 64 + 3); /* CR, LF, and '=' at the end */
}
END_TEST

static const struct {
	struct str in;
	const char *out;
} encoded[] = {
	{ STR(""), "" },        { STR("f"), "Zg==" },        { STR("fo"), "Zm8=" },
	{ STR("foo"), "Zm9v" }, { STR("foob"), "Zm9vYg==" }, { STR("\xfb\xff\xbf"), "-_-_" },
	{ STR("\0"), "AA==" },  { STR("/a/b"), "L2EvYg==" },
};

START_TEST(encoded_row)
{
	CLEANUP(freep) char *copy = mem_dup(encoded[_i].in.p, encoded[_i].in.n);
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	strbuf_addz(&out, "x=");
	base64url_encode((struct str){ copy, encoded[_i].in.n }, &out);
	ck_assert_str_eq(strbuf_z(&out) + 2, encoded[_i].out);
}
END_TEST

START_TEST(round_trip)
{
	CLEANUP(strbuf_done) struct strbuf in = { 0 };

	for (unsigned n = 0; n < 600; n++) {
		CLEANUP(strbuf_done) struct strbuf text = { 0 };
		CLEANUP(strbuf_done) struct strbuf out = { 0 };
		size_t at = 0;

		base64url_encode(strbuf_str(&in), &text);
		ck_assert_uint_eq(text.n % 4, 0);
		ck_assert(decode_copy(strbuf_str(&text), &out, &at));
		ck_assert(str_eq(strbuf_str(&in), strbuf_str(&out)));
		strbuf_addc(&in, (char)(n * 167 + (n >> 3)));
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("base64url");

	tcase_add_loop_test(tc, accepted_row, 0, (int)ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, refused_row, 0, (int)ARRAY_LEN(refused));
	tcase_add_loop_test(tc, encoded_row, 0, (int)ARRAY_LEN(encoded));
	tcase_add_test(tc, null_slice);
	tcase_add_test(tc, alphabet);
	tcase_add_test(tc, round_trip);
	return run_cases("base64", tc);
}
