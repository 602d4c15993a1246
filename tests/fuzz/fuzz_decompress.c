/*
 * Decompression: the first byte of an input selects the codec, the others are the body. What comes
 * out keeps to the limit, a refusal tells why, and the limit is exact: what came out fits into a
 * limit of just its size, and not into one byte less.
 */
#undef NDEBUG
#include <assert.h>

#include "lib/decompressed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 1 << 20 };

static void check_exact_limit(enum content_coding coding, struct str in, struct str plain)
{
	CLEANUP(decompressed_done) struct decompressed same = decompressed(coding, in, plain.n);

	assert(same.r == 0 && str_eq(strbuf_str(&same.out), plain));
	if (plain.n == 0)
		return;

	CLEANUP(decompressed_done) struct decompressed less = decompressed(coding, in, plain.n - 1);

	assert(less.r < 0 && less.err.reason == ERR_TOO_LARGE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum content_coding codings[] = { BODY_IDENTITY, BODY_GZIP, BODY_SNAPPY,
						       BODY_ZSTD };

	if (size == 0)
		return 0;

	enum content_coding coding = codings[data[0] % ARRAY_LEN(codings)];
	struct str in = { (const char *)data + 1, size - 1 };
	CLEANUP(decompressed_done) struct decompressed d = decompressed(coding, in, LIMIT);
	struct err err = { 0 };

	if (decompress_check_start(coding, in, &err) < 0) {
		assert(d.r < 0 && err.reason == ERR_INVALID);
		check_refusal(&err);
	}
	if (d.r == 0)
		check_exact_limit(coding, in, strbuf_str(&d.out));
	return 0;
}
