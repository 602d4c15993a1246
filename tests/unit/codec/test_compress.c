/* Pieces of compressed text that join into one stream: read back by zlib and libzstd. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "codec/compress.h"
#include "lib/run.h"

enum { MAX_TEXT = 200 * 1024 };

static size_t gunzip(struct str in, void *out, size_t size)
{
	z_stream z = { .next_in = (Bytef *)in.p,
		       .avail_in = (uInt)in.n,
		       .next_out = out,
		       .avail_out = (uInt)size };

	ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
	/* One member, its checksum and length right, and nothing behind it. */
	ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	ck_assert_uint_eq(z.avail_in, 0);
	inflateEnd(&z);
	return size - z.avail_out;
}

/* Frame by frame, as any reader of concatenated frames does. */
static size_t unzstd(struct str in, char *out, size_t size)
{
	size_t n = 0;

	while (in.n > 0) {
		size_t frame = ZSTD_findFrameCompressedSize(in.p, in.n);

		ck_assert(!ZSTD_isError(frame));
		size_t r = ZSTD_decompress(out + n, size - n, in.p, frame);

		ck_assert_msg(!ZSTD_isError(r), "%s", ZSTD_getErrorName(r));
		n += r;
		in = (struct str){ in.p + frame, in.n - frame };
	}
	return n;
}

static void fill(struct strbuf *text, size_t n, bool random)
{
	unsigned state = 12345;

	while (text->n < n) {
		state = state * 1103515245 + 12345;
		if (random)
			strbuf_addc(text, (char)(state >> 16));
		else
			strbuf_addf(text, "metric_name{label=\"value_%u\"} %u\n", state % 97,
				    state % 7);
	}
	text->n = n;
}

static const struct {
	const char *name;
	size_t sizes[5]; /* of the pieces; 0 ends */
	bool random;
} rows[] = {
	{ "nothing", { 0 }, false },
	{ "one byte", { 1 }, false },
	{ "one page", { 16384 }, false },
	{ "several", { 100, 16384, 5, 70000, 16384 }, false },
	{ "does not shrink", { 16384, 3, 70000 }, true },
	{ "large", { 150000 }, false },
};

/* stored: as pieces are when there is no memory to compress. */
static void round_trip(int row, enum compression how, bool stored)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	CLEANUP(strbuf_done) struct strbuf stream = { 0 };
	CLEANUP(strbuf_done) struct strbuf read = { 0 };
	CLEANUP(freep) char *back = mem_alloc(MAX_TEXT);
	struct compressor *c = compressor_new();
	struct compress_stream s;
	char tail[COMPRESS_TAIL];
	size_t n;

	strbuf_adds(&stream, compress_head(&s, how));
	for (int i = 0; i < 5 && rows[row].sizes[i]; i++) {
		size_t start = text.n;

		fill(&text, text.n + rows[row].sizes[i], rows[row].random);
		struct str part = { text.p + start, text.n - start };
		struct bytes *piece = stored ? compress_stored_zstd(part)
					     : compress_piece(c, how, part);

		strbuf_adds(&stream, compress_join(&s, piece));
		if (how == COMPRESS_ZSTD)
			compress_read(c, piece, text.n - start, &read);
		bytes_unref(piece);
	}
	strbuf_add(&stream, tail, compress_tail(&s, tail));
	n = how == COMPRESS_GZIP ? gunzip(strbuf_str(&stream), back, MAX_TEXT)
				 : unzstd(strbuf_str(&stream), back, MAX_TEXT);
	ck_assert_msg(str_eq((struct str){ back, n }, strbuf_str(&text)), "%s", rows[row].name);
	if (how == COMPRESS_ZSTD)
		ck_assert(str_eq(strbuf_str(&read), strbuf_str(&text)));
	if (!stored && !rows[row].random && text.n > 10000)
		ck_assert_uint_lt(stream.n, text.n / 4);
	compressor_free(c);
}

START_TEST(gzip)
{
	round_trip(_i, COMPRESS_GZIP, false);
}
END_TEST

START_TEST(zstd)
{
	round_trip(_i, COMPRESS_ZSTD, false);
}
END_TEST

START_TEST(stored_zstd)
{
	round_trip(_i, COMPRESS_ZSTD, true);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("round trip");

	tcase_add_loop_test(tc, gzip, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, zstd, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, stored_zstd, 0, (int)ARRAY_LEN(rows));
	return run_cases("compress", tc);
}
