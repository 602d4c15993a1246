/*
 * Compressed bodies from the compressors: whole, over the limit, cut off, damaged, and far larger
 * than they look.
 */
#include <check.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/crc32c.h"
#include "codec/decompress.h"
#include "lib/decompressed.h"
#include "lib/run.h"

enum { ROOMY = 1 << 20 };

#define CUT_OFF "unexpected EOF"
#define CORRUPT "snappy: corrupt input"
#define SN_ID "\xff\6\0\0sNaPpY"

static void pack_gzip(struct str text, struct strbuf *out)
{
	z_stream z = { 0 };

	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);

	size_t room = deflateBound(&z, text.n);

	z.next_out = (Bytef *)strbuf_reserve(out, room);
	z.avail_out = (unsigned)room;
	z.next_in = (z_const Bytef *)text.p;
	z.avail_in = (unsigned)text.n;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->n += z.total_out;
	deflateEnd(&z);
}

static void add_le(struct strbuf *out, uint32_t v, unsigned n)
{
	for (; n > 0; n--, v >>= 8)
		strbuf_addc(out, (char)(v & 0xFF));
}

static void pack_snappy(struct str text, struct strbuf *out)
{
	strbuf_adds(out, STR(SN_ID));
	while (text.n > 0) {
		struct str part = { text.p, text.n < 65536 ? text.n : 65536 };
		uint32_t crc = crc32c(part);
		size_t n = snappy_max_compressed_length(part.n);
		/* Behind what is put in front of it. */
		char *block = strbuf_reserve(out, 8 + n) + 8;

		ck_assert_int_eq(snappy_compress(part.p, part.n, block, &n), SNAPPY_OK);
		strbuf_addc(out, 0);
		add_le(out, (uint32_t)n + 4, 3);
		add_le(out, (crc >> 15 | crc << 17) + 0xA282EAD8, 4);
		out->n += n;
		text.p += part.n;
		text.n -= part.n;
	}
}

/* In pieces, so that the frame does not say its size. */
static void pack_zstd_stream(struct str text, struct strbuf *out)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(text.n), left;
	ZSTD_outBuffer to = { strbuf_reserve(out, room), room, 0 };
	ZSTD_inBuffer from = { text.p, text.n, 0 }, none = { "", 0, 0 };

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	while (from.pos < from.size)
		ck_assert(!ZSTD_isError(ZSTD_compressStream2(c, &to, &from, ZSTD_e_continue)));
	do {
		left = ZSTD_compressStream2(c, &to, &none, ZSTD_e_end);
		ck_assert(!ZSTD_isError(left));
	} while (left);
	out->n += to.pos;
	ZSTD_freeCCtx(c);
}

static void pack_zstd(struct str text, struct strbuf *out)
{
	size_t room = ZSTD_compressBound(text.n);
	size_t n = ZSTD_compress(strbuf_reserve(out, room), room, text.p, text.n, 3);

	ck_assert(!ZSTD_isError(n));
	out->n += n;
}

static const struct packer {
	const char *name;
	enum content_coding coding;
	void (*pack)(struct str text, struct strbuf *out);
	const char *cut_off, *no_bytes; /* errors */
} packers[] = {
	{ "gzip", BODY_GZIP, pack_gzip, CUT_OFF, "EOF" },
	{ "snappy", BODY_SNAPPY, pack_snappy, CORRUPT, NULL },
	{ "zstd", BODY_ZSTD, pack_zstd, CUT_OFF, NULL },
	{ "zstd stream", BODY_ZSTD, pack_zstd_stream, CUT_OFF, NULL },
};

/* Of n bytes; with few different ones it compresses well. */
static char *make_text(size_t n, unsigned different)
{
	char *p = malloc(n ? n : 1);
	uint64_t x = 88172645463325252;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (char)(x % different);
	}
	return p;
}

static void check_limit(const struct packer *packer, struct str text, struct str packed)
{
	CLEANUP(decompressed_done)
	struct decompressed at = decompressed(packer->coding, packed, text.n);

	ck_assert_msg(at.r == 0, "%s of %zu: %s", packer->name, text.n, at.err.msg);
	ck_assert_msg(str_eq(strbuf_str(&at.out), text), "%s of %zu", packer->name, text.n);
	if (text.n == 0)
		return;

	CLEANUP(decompressed_done)
	struct decompressed past = decompressed(packer->coding, packed, text.n - 1);

	ck_assert_msg(past.r < 0 && past.err.reason == ERR_TOO_LARGE, "%s of %zu: %d %s",
		      packer->name, text.n, past.err.reason, past.err.msg);
	ck_assert(strstr(past.err.msg, "--limits.body-size"));
}

START_TEST(round_trip_at_the_limit_and_one_past)
{
	static const size_t sizes[] = { 0, 1, 255, 256, 65535, 65536, 65537, 131072, 1000000 };
	static const unsigned different[] = { 1, 2, 40, 256 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t j = 0; j < ARRAY_LEN(different); j++) {
			CLEANUP(freep) char *p = make_text(sizes[i], different[j]);
			CLEANUP(strbuf_done) struct strbuf packed = { 0 };
			struct str text = { p, sizes[i] };

			packers[_i].pack(text, &packed);
			check_limit(&packers[_i], text, strbuf_str(&packed));
		}
}
END_TEST

/* Two parts, of which each ends where a shorter body may end as well. */
START_TEST(cut_at_every_byte)
{
	const struct packer *packer = &packers[_i];
	/* snappy's identifier is a part of its own. */
	const size_t id = packer->coding == BODY_SNAPPY ? STR(SN_ID).n : 0;
	CLEANUP(freep) char *p = make_text(300, 40);
	CLEANUP(strbuf_done) struct strbuf packed = { 0 };
	struct str text = { p, 300 };
	size_t half;

	packer->pack(text, &packed);
	half = packed.n;
	packer->pack(text, &packed);
	for (size_t n = 0; n < packed.n; n++) {
		CLEANUP(decompressed_done)
		struct decompressed res = decompressed(packer->coding, (struct str){ packed.p, n },
						       ROOMY);
		bool whole = n == id || n == half || n == half + id;
		const char *error = n == 0 ? packer->no_bytes : whole ? NULL : packer->cut_off;

		ck_assert_msg(res.r == (error ? -1 : 0), "%s at %zu: %s", packer->name, n,
			      res.err.msg);
		if (error)
			ck_assert_msg(!strcmp(res.err.msg, error), "%s at %zu: %s", packer->name, n,
				      res.err.msg);
	}
}
END_TEST

/* A changed bit is found, unless nothing depends on it. */
START_TEST(every_bit_changed)
{
	const struct packer *packer = &packers[_i];
	CLEANUP(freep) char *p = make_text(200, 40);
	CLEANUP(strbuf_done) struct strbuf packed = { 0 };
	struct str text = { p, 200 };

	packer->pack(text, &packed);
	for (size_t bit = 0; bit < packed.n * 8; bit++) {
		packed.p[bit / 8] ^= (char)(1 << bit % 8);

		CLEANUP(decompressed_done)
		struct decompressed res = decompressed(packer->coding, strbuf_str(&packed), ROOMY);

		packed.p[bit / 8] ^= (char)(1 << bit % 8);
		if (res.r < 0)
			ck_assert_int_eq(res.err.reason, ERR_INVALID);
		else if (packer->pack == pack_snappy)
			/* A chunk can become one that is skipped. */
			ck_assert(res.out.n == 0 || str_eq(strbuf_str(&res.out), text));
		else if (packer->pack != pack_zstd) /* has no checksum */
			ck_assert(str_eq(strbuf_str(&res.out), text));
	}
}
END_TEST

START_TEST(bomb)
{
	enum { BOMB = 32 << 20 };
	CLEANUP(freep) char *p = make_text(BOMB, 1);
	CLEANUP(strbuf_done) struct strbuf packed = { 0 };

	packers[_i].pack((struct str){ p, BOMB }, &packed);
	for (size_t max = 1; max < BOMB; max *= 8) {
		/* decompressed() looks at what it has taken. */
		CLEANUP(decompressed_done)
		struct decompressed res = decompressed(packers[_i].coding, strbuf_str(&packed),
						       max);

		ck_assert_int_eq(res.r, -1);
		ck_assert_int_eq(res.err.reason, ERR_TOO_LARGE);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("decompress_packed");

	tcase_add_loop_test(tc, round_trip_at_the_limit_and_one_past, 0, ARRAY_LEN(packers));
	tcase_add_loop_test(tc, cut_at_every_byte, 0, ARRAY_LEN(packers));
	tcase_add_loop_test(tc, every_bit_changed, 0, ARRAY_LEN(packers));
	tcase_add_loop_test(tc, bomb, 0, ARRAY_LEN(packers));
	return run_cases("decompress_packed", tc);
}
