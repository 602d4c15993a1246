/*
 * Bodies of requests with a Content-Encoding. What is sent decides how long we work and never how
 * much memory we take: that follows the bytes that came and those that came out of them, whatever
 * lengths and windows the body announces, and ends at the limit.
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
 * The header's value, compared as a whole and without case. What we do not know, lists of codings
 * included, is the body as it is: the Go gateway takes it so.
 */
enum content_coding content_coding_of(struct str content_encoding);

/*
 * The check that the Go gateway makes of every request, before it knows what the request is for:
 * a body in gzip has to begin as one. -1: ERR_INVALID.
 */
int decompress_check_start(enum content_coding coding, struct str in, struct err *err);

/*
 * Replaces what is in *out, which stays the caller's also on failure and is then of no use. It
 * takes at most max_out bytes of memory and 64 KiB, beside what the codec takes for itself: less
 * than 256 KiB.
 * -1: ERR_INVALID (in the words of the Go gateway: "EOF", "unexpected EOF", "gzip: invalid header",
 * "gzip: invalid checksum", "flate: corrupt input before offset N", "snappy: corrupt input",
 * "snappy: unsupported input"; for zstd in words like these), or ERR_TOO_LARGE that names the
 * limit.
 */
int decompress(enum content_coding coding, struct str in, size_t max_out, struct strbuf *out,
	       struct err *err);

#endif
