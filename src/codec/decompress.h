/*
 * Decompresses request bodies. A client decides how long this takes, but not how much memory: that
 * follows the bytes that came in and out, whatever lengths and windows the body announces, and ends
 * at the limit.
 */
#ifndef CODEC_DECOMPRESS_H
#define CODEC_DECOMPRESS_H

#include "base/err.h"
#include "base/str.h"

enum content_coding {
	BODY_IDENTITY,
	BODY_GZIP,
	BODY_SNAPPY, /* the framing format */
	BODY_ZSTD,
};

/*
 * The header's value is compared as a whole, ignoring case. Anything unknown, lists included, means
 * that the body is not compressed, as for the Go gateway.
 */
enum content_coding content_coding_of(struct str content_encoding);

/*
 * A check that the Go gateway makes before it knows the endpoint: a gzip body has to begin with a
 * gzip header. -1: ERR_INVALID.
 */
int decompress_check_start(enum content_coding coding, struct str in, struct err *err);

/*
 * Replaces what is in *out. The caller frees it also after a failure, when its content means
 * nothing. It takes at most max_out bytes of memory and 64 KiB, beside what the codec takes for
 * itself: less than 256 KiB. -1: ERR_INVALID (in the words of the Go gateway: "EOF", "unexpected
 * EOF", "gzip: invalid header", "gzip: invalid checksum", "flate: corrupt input before offset N",
 * "snappy: corrupt input", "snappy: unsupported input"; for zstd in words like these),
 * ERR_TOO_LARGE that names the limit, or ERR_BUSY when the machine has no memory.
 */
int decompress(enum content_coding coding, struct str in, size_t max_out, struct strbuf *out,
	       struct err *err);

#endif
