/* Compressed bodies that are written by hand: what is accepted, and the words for what is not. */
#include <check.h>
#include <stdlib.h>

#include "codec/decompress.h"
#include "lib/decompressed.h"
#include "lib/run.h"

enum { ROOMY = 1 << 20 };

#define CUT_OFF "unexpected EOF"
#define BAD_HEADER "gzip: invalid header"
#define BAD_SUM "gzip: invalid checksum"
#define CORRUPT "snappy: corrupt input"
#define UNSUPPORTED "snappy: unsupported input"
#define TOO_LARGE "decompressed body larger than 3 bytes (--limits.body-size)"

/* One body of four bytes, "a 1" and LF, in pieces. */
/* clang-format off */
#define GZ_HEAD(flags) "\x1f\x8b\x08" flags "\0\0\0\0\0\xff"
#define GZ_DATA "\x01\x04\0\xfb\xff" "a 1\n"
#define GZ_SUM "\x36\xe7\x1b\xbc"
#define GZ_TAIL GZ_SUM "\4\0\0\0"
#define GZ GZ_HEAD("\0") GZ_DATA GZ_TAIL

#define SN_ID "\xff\6\0\0sNaPpY"
#define SN_SUM "\xaf\x4c\x19\x8a"
#define SN_NO_SUM "\xd8\xea\x82\xa2"
#define SN_PLAIN "\1\x8\0\0" SN_SUM "a 1\n"
#define SN_BLOCK "\4\x0c" "a 1\n"
#define SN_PACKED "\0\x0a\0\0" SN_SUM SN_BLOCK

#define ZS_MAGIC "\x28\xb5\x2f\xfd"
#define ZS_DATA "\x21\0\0" "a 1\n"
#define ZS ZS_MAGIC "\4\x58" ZS_DATA "\x91\x72\xc4\x35"
#define ZS_SKIPPED "\x5a\x2a\x4d\x18\3\0\0\0xyz"

#define S(lit) { lit, sizeof(lit) - 1 }

static const struct row {
	const char *name;
	enum content_coding coding;
	struct str in;
	const char *out, *error; /* one of them; errors are a 400 unless TOO_LARGE */
	size_t max;              /* 0: plenty */
} rows[] = {
	{ "identity", BODY_IDENTITY, S("a 1\n"), "a 1\n", NULL, 4 },
	{ "identity, empty", BODY_IDENTITY, S(""), "", NULL, 0 },
	{ "identity, over the limit", BODY_IDENTITY, S("a 1\n"), NULL, TOO_LARGE, 3 },

	{ "gzip", BODY_GZIP, S(GZ), "a 1\n", NULL, 0 },
	{ "gzip at the limit", BODY_GZIP, S(GZ), "a 1\n", NULL, 4 },
	{ "gzip over the limit", BODY_GZIP, S(GZ), NULL, TOO_LARGE, 3 },
	{ "gzip, two members", BODY_GZIP, S(GZ GZ), "a 1\na 1\n", NULL, 8 },
	{ "gzip, two members over the limit", BODY_GZIP, S(GZ GZ), NULL, TOO_LARGE, 3 },
	{ "gzip of nothing", BODY_GZIP, S(GZ_HEAD("\0") "\3\0\0\0\0\0\0\0\0\0"), "", NULL, 0 },
	{ "gzip, no bytes", BODY_GZIP, S(""), NULL, "EOF", 0 },
	{ "gzip, one byte", BODY_GZIP, S("\x1f"), NULL, CUT_OFF, 0 },
	{ "gzip, not, short", BODY_GZIP, S("a 1\n"), NULL, CUT_OFF, 0 },
	{ "gzip, not, long", BODY_GZIP, S("metric_name 1\n"), NULL, BAD_HEADER, 0 },
	{ "gzip, other method", BODY_GZIP, S("\x1f\x8b\x07\0\0\0\0\0\0\xff" GZ_DATA GZ_TAIL), NULL, BAD_HEADER, 0 },
	{ "gzip with all that a header may have", BODY_GZIP, S(GZ_HEAD("\x1e") "\2\0xyn\0c\0\xca\x4e" GZ_DATA GZ_TAIL), "a 1\n", NULL, 0 },
	{ "gzip, header cut in extra's length", BODY_GZIP, S(GZ_HEAD("\4") "\2"), NULL, CUT_OFF, 0 },
	{ "gzip, header cut in extra", BODY_GZIP, S(GZ_HEAD("\4") "\2\0x"), NULL, CUT_OFF, 0 },
	{ "gzip, header cut in name", BODY_GZIP, S(GZ_HEAD("\x8") "name"), NULL, CUT_OFF, 0 },
	{ "gzip, header cut in comment", BODY_GZIP, S(GZ_HEAD("\x10")), NULL, CUT_OFF, 0 },
	{ "gzip, header cut in its checksum", BODY_GZIP, S(GZ_HEAD("\2") "\x90"), NULL, CUT_OFF, 0 },
	{ "gzip, header's checksum", BODY_GZIP, S(GZ_HEAD("\2") "\x90\xc9" GZ_DATA GZ_TAIL), "a 1\n", NULL, 0 },
	{ "gzip, header's checksum is wrong", BODY_GZIP, S(GZ_HEAD("\2") "\x90\xc8" GZ_DATA GZ_TAIL), NULL, BAD_HEADER, 0 },
	{ "gzip, reserved flags", BODY_GZIP, S(GZ_HEAD("\xe0") GZ_DATA GZ_TAIL), "a 1\n", NULL, 0 },
	{ "gzip, checksum is wrong", BODY_GZIP, S(GZ_HEAD("\0") GZ_DATA "\x36\xe7\x1b\xbd\4\0\0\0"), NULL, BAD_SUM, 0 },
	{ "gzip, length is wrong", BODY_GZIP, S(GZ_HEAD("\0") GZ_DATA GZ_SUM "\5\0\0\0"), NULL, BAD_SUM, 0 },
	{ "gzip, block type 3", BODY_GZIP, S(GZ_HEAD("\0") "\7"), NULL, "flate: corrupt input before offset 1", 0 },
	{ "gzip, stored length is wrong", BODY_GZIP, S(GZ_HEAD("\0") "\1\4\0\xfa\xff" "a 1\n" GZ_TAIL), NULL, "flate: corrupt input before offset 5", 0 },
	{ "gzip, a zero behind", BODY_GZIP, S(GZ "\0"), NULL, CUT_OFF, 0 },
	{ "gzip, ten zeros behind", BODY_GZIP, S(GZ "\0\0\0\0\0\0\0\0\0\0"), NULL, BAD_HEADER, 0 },
	{ "gzip, text behind", BODY_GZIP, S(GZ "metric_name 1\n"), NULL, BAD_HEADER, 0 },

	{ "snappy, no bytes", BODY_SNAPPY, S(""), "", NULL, 0 },
	{ "snappy, identifier only", BODY_SNAPPY, S(SN_ID), "", NULL, 0 },
	{ "snappy, plain", BODY_SNAPPY, S(SN_ID SN_PLAIN), "a 1\n", NULL, 4 },
	{ "snappy, plain over the limit", BODY_SNAPPY, S(SN_ID SN_PLAIN), NULL, TOO_LARGE, 3 },
	{ "snappy, packed", BODY_SNAPPY, S(SN_ID SN_PACKED), "a 1\n", NULL, 4 },
	{ "snappy, packed over the limit", BODY_SNAPPY, S(SN_ID SN_PACKED), NULL, TOO_LARGE, 3 },
	{ "snappy, both", BODY_SNAPPY, S(SN_ID SN_PACKED SN_PLAIN), "a 1\na 1\n", NULL, 8 },
	{ "snappy, identifier again", BODY_SNAPPY, S(SN_ID SN_PLAIN SN_ID SN_PLAIN), "a 1\na 1\n", NULL, 0 },
	{ "snappy, padding", BODY_SNAPPY, S(SN_ID "\xfe\3\0\0xyz" SN_PLAIN "\xfe\0\0\0"), "a 1\n", NULL, 0 },
	{ "snappy, skippable", BODY_SNAPPY, S(SN_ID "\x80\1\0\0x" SN_PLAIN "\xfd\0\0\0"), "a 1\n", NULL, 0 },
	{ "snappy, reserved", BODY_SNAPPY, S(SN_ID "\2\1\0\0x" SN_PLAIN), NULL, UNSUPPORTED, 0 },
	{ "snappy, last reserved, cut off", BODY_SNAPPY, S(SN_ID SN_PLAIN "\x7f\1\0\0"), NULL, UNSUPPORTED, 0 },
	{ "snappy, too long a chunk", BODY_SNAPPY, S(SN_ID "\xfe\xcf\x2a\1"), NULL, UNSUPPORTED, 0 },
	{ "snappy, as long as can be, cut off", BODY_SNAPPY, S(SN_ID "\xfe\xce\x2a\1"), NULL, CORRUPT, 0 },
	{ "snappy, no identifier", BODY_SNAPPY, S(SN_PLAIN), NULL, CORRUPT, 0 },
	{ "snappy, padding first", BODY_SNAPPY, S("\xfe\0\0\0" SN_ID SN_PLAIN), NULL, CORRUPT, 0 },
	{ "snappy, other identifier", BODY_SNAPPY, S("\xff\6\0\0sNaPpy" SN_PLAIN), NULL, CORRUPT, 0 },
	{ "snappy, short identifier", BODY_SNAPPY, S("\xff\5\0\0sNaPp" SN_PLAIN), NULL, CORRUPT, 0 },
	{ "snappy, bare block", BODY_SNAPPY, S(SN_BLOCK), NULL, CORRUPT, 0 },
	{ "snappy, checksum of plain", BODY_SNAPPY, S(SN_ID "\1\x8\0\0\xaf\x4c\x19\x8b" "a 1\n"), NULL, CORRUPT, 0 },
	{ "snappy, checksum of packed", BODY_SNAPPY, S(SN_ID "\0\x0a\0\0\xaf\x4c\x19\x8b" SN_BLOCK), NULL, CORRUPT, 0 },
	{ "snappy, no room for a checksum", BODY_SNAPPY, S(SN_ID "\1\3\0\0\xaf\x4c\x19"), NULL, CORRUPT, 0 },
	{ "snappy, plain nothing", BODY_SNAPPY, S(SN_ID "\1\4\0\0" SN_NO_SUM), "", NULL, 0 },
	{ "snappy, packed nothing", BODY_SNAPPY, S(SN_ID "\0\5\0\0" SN_NO_SUM "\0"), "", NULL, 0 },
	{ "snappy, packed without a length", BODY_SNAPPY, S(SN_ID "\0\4\0\0" SN_NO_SUM), NULL, CORRUPT, 0 },
	{ "snappy, block longer than 65536", BODY_SNAPPY, S(SN_ID "\0\x0c\0\0" SN_SUM "\x81\x80\4\x0c" "a 1\n"), NULL, CORRUPT, 0 },
	{ "snappy, block of 4 GB", BODY_SNAPPY, S(SN_ID "\0\x0e\0\0" SN_SUM "\xff\xff\xff\xff\x0f\x0c" "a 1\n"), NULL, CORRUPT, 0 },
	{ "snappy, block shorter than it says", BODY_SNAPPY, S(SN_ID "\0\x0a\0\0" SN_SUM "\5\x0c" "a 1\n"), NULL, CORRUPT, 0 },

	{ "zstd, no bytes", BODY_ZSTD, S(""), "", NULL, 0 },
	{ "zstd", BODY_ZSTD, S(ZS), "a 1\n", NULL, 4 },
	{ "zstd over the limit", BODY_ZSTD, S(ZS), NULL, TOO_LARGE, 3 },
	{ "zstd, two frames", BODY_ZSTD, S(ZS ZS), "a 1\na 1\n", NULL, 8 },
	{ "zstd, skippable frames", BODY_ZSTD, S(ZS_SKIPPED ZS ZS_SKIPPED), "a 1\n", NULL, 0 },
	{ "zstd, no checksum", BODY_ZSTD, S(ZS_MAGIC "\0\x58" ZS_DATA), "a 1\n", NULL, 0 },
	{ "zstd, checksum is wrong", BODY_ZSTD, S(ZS_MAGIC "\4\x58" ZS_DATA "\x91\x72\xc4\x36"), NULL, "zstd: invalid checksum", 0 },
	{ "zstd, not", BODY_ZSTD, S("a 1\n"), NULL, "zstd: invalid header", 0 },
	{ "zstd, two bytes", BODY_ZSTD, S("\x28\xb5"), NULL, CUT_OFF, 0 },
	{ "zstd of version 0.7", BODY_ZSTD, S("\x27\xb5\x2f\xfd\0\0\0\0\0"), NULL, "zstd: invalid header", 0 },
	{ "zstd, text behind", BODY_ZSTD, S(ZS "metric 1\n"), NULL, "zstd: invalid header", 0 },
	{ "zstd, a byte behind", BODY_ZSTD, S(ZS "\0"), NULL, CUT_OFF, 0 },
	{ "zstd, window of 2 GB", BODY_ZSTD, S(ZS_MAGIC "\0\xa8" ZS_DATA), "a 1\n", NULL, 4 },
	{ "zstd, window of 4 GB", BODY_ZSTD, S(ZS_MAGIC "\0\xb0" ZS_DATA), NULL, "zstd: unsupported input", 0 },
	{ "zstd, reserved bit", BODY_ZSTD, S(ZS_MAGIC "\x8\x58" ZS_DATA), NULL, "zstd: unsupported input", 0 },
	{ "zstd, dictionary", BODY_ZSTD, S(ZS_MAGIC "\1\x58\x07" ZS_DATA), NULL, "zstd: a dictionary is needed", 0 },
	{ "zstd, reserved block", BODY_ZSTD, S(ZS_MAGIC "\0\x58\x27\0\0" "a 1\n"), NULL, "zstd: corrupt input", 0 },
	{ "zstd, announced and right", BODY_ZSTD, S(ZS_MAGIC "\x20\4" ZS_DATA), "a 1\n", NULL, 4 },
	{ "zstd, announced over the limit", BODY_ZSTD, S(ZS_MAGIC "\x20\4" ZS_DATA), NULL, TOO_LARGE, 3 },
	{ "zstd, announced too little", BODY_ZSTD, S(ZS_MAGIC "\x20\3" ZS_DATA), NULL, "zstd: corrupt input", 0 },
	{ "zstd, announced too much", BODY_ZSTD, S(ZS_MAGIC "\xa0\0\0\2\0" ZS_DATA), NULL, "zstd: corrupt input", 0 },
};
/* clang-format on */

START_TEST(by_hand)
{
	const struct row *row = &rows[_i];
	CLEANUP(decompressed_done)
	struct decompressed res = decompressed(row->coding, row->in, row->max ? row->max : ROOMY);

	if (row->out) {
		ck_assert_msg(res.r == 0, "%s: %s", row->name, res.err.msg);
		ck_assert_msg(str_eq(strbuf_str(&res.out), str_of(row->out)), "%s: got \"%s\"",
			      row->name, strbuf_z(&res.out));
		return;
	}
	ck_assert_msg(res.r < 0, "%s: accepted", row->name);
	ck_assert_msg(strcmp(res.err.msg, row->error) == 0, "%s: %s", row->name, res.err.msg);
	ck_assert_int_eq(res.err.reason,
			 strcmp(row->error, TOO_LARGE) == 0 ? ERR_TOO_LARGE : ERR_INVALID);
}
END_TEST

static const struct {
	const char *header;
	enum content_coding coding;
} headers[] = {
	{ "", BODY_IDENTITY },         { "identity", BODY_IDENTITY },
	{ "gzip", BODY_GZIP },         { "GZip", BODY_GZIP },
	{ "x-gzip", BODY_IDENTITY },   { "gzip, gzip", BODY_IDENTITY },
	{ "deflate", BODY_IDENTITY },  { "br", BODY_IDENTITY },
	{ "snappy", BODY_SNAPPY },     { "SNAPPY", BODY_SNAPPY },
	{ "x-snappy", BODY_IDENTITY }, { "zstd", BODY_ZSTD },
	{ "Zstd", BODY_ZSTD },         { "zstd;q=1", BODY_IDENTITY },
};

START_TEST(header_value)
{
	ck_assert_msg(content_coding_of(str_of(headers[_i].header)) == headers[_i].coding, "\"%s\"",
		      headers[_i].header);
}
END_TEST

START_TEST(no_header)
{
	ck_assert_int_eq(content_coding_of(STR_NULL), BODY_IDENTITY);
}
END_TEST

START_TEST(only_the_start_of_gzip_is_checked_early)
{
	struct err err = { 0 };

	ck_assert_int_eq(decompress_check_start(BODY_GZIP, STR(""), &err), -1);
	ck_assert_int_eq(err.reason, ERR_INVALID);
	ck_assert_str_eq(err.msg, "EOF");
	ck_assert_int_eq(decompress_check_start(BODY_GZIP, STR("metric_name 1\n"), &err), -1);
	ck_assert_str_eq(err.msg, BAD_HEADER);
	ck_assert_int_eq(decompress_check_start(BODY_GZIP, STR(GZ_HEAD("\0")), &err), 0);
	ck_assert_int_eq(decompress_check_start(BODY_SNAPPY, STR("a 1\n"), &err), 0);
	ck_assert_int_eq(decompress_check_start(BODY_ZSTD, STR("a 1\n"), &err), 0);
	ck_assert_int_eq(decompress_check_start(BODY_IDENTITY, STR(""), &err), 0);
}
END_TEST

/* Names of 511 bytes and a NUL fit into what Go reads, longer ones do not. */
START_TEST(name_in_a_gzip_header)
{
	for (size_t n = 511; n <= 512; n++) {
		CLEANUP(strbuf_done) struct strbuf in = { 0 };

		strbuf_adds(&in, STR(GZ_HEAD("\x8")));
		memset(strbuf_reserve(&in, n), 'x', n);
		in.n += n;
		strbuf_adds(&in, STR("\0" GZ_DATA GZ_TAIL));

		CLEANUP(decompressed_done)
		struct decompressed res = decompressed(BODY_GZIP, strbuf_str(&in), ROOMY);

		ck_assert_int_eq(res.r, n == 511 ? 0 : -1);
		if (res.r < 0)
			ck_assert_str_eq(res.err.msg, BAD_HEADER);
	}
}
END_TEST

/* 16 MB that do not come. */
START_TEST(announced_sizes_take_no_memory)
{
	static const struct str in = S(ZS_MAGIC "\xa0\0\0\0\1" ZS_DATA);
	CLEANUP(decompressed_done) struct decompressed res = decompressed(BODY_ZSTD, in, 64 << 20);

	ck_assert_int_eq(res.err.reason, ERR_INVALID);
	ck_assert_uint_lt(res.out.cap, 4096);
}
END_TEST

START_TEST(buffer_is_used_again)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	struct err err;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(decompress(BODY_GZIP, STR(GZ), ROOMY, &out, &err), 0);
		ck_assert_str_eq(strbuf_z(&out), "a 1\n");
		ck_assert_int_eq(decompress(BODY_ZSTD, STR("a 1\n"), ROOMY, &out, &err), -1);
		ck_assert_int_eq(decompress(BODY_SNAPPY, STR(SN_ID), ROOMY, &out, &err), 0);
		ck_assert_uint_eq(out.n, 0);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("decompress");

	tcase_add_loop_test(tc, by_hand, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(tc, header_value, 0, ARRAY_LEN(headers));
	tcase_add_test(tc, no_header);
	tcase_add_test(tc, only_the_start_of_gzip_is_checked_early);
	tcase_add_test(tc, name_in_a_gzip_header);
	tcase_add_test(tc, announced_sizes_take_no_memory);
	tcase_add_test(tc, buffer_is_used_again);
	return run_cases("decompress", tc);
}
