/*
 * Chunked transfer coding (RFC 9112 section 7.1), decoded byte by byte: of a chunk's line only the
 * size is kept. Extensions and trailers are checked and dropped.
 */
#ifndef HTTP_CHUNKS_H
#define HTTP_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#include "http/fault.h"

/* The longest line that begins a chunk, without its end. */
enum { CHUNK_LINE_MAX = 8 * 1024 };

/* All zeros: at the beginning of a body. */
struct chunks {
	enum {
		CHUNKS_AT_SIZE, /* the first digit */
		CHUNKS_IN_SIZE,
		CHUNKS_BEHIND_SIZE, /* blanks */
		CHUNKS_IN_EXTENSION,
		CHUNKS_AT_LINE_LF,
		CHUNKS_IN_DATA,
		CHUNKS_AT_DATA_CR,
		CHUNKS_AT_DATA_LF,
		CHUNKS_AT_TRAILER,
		CHUNKS_IN_TRAILER_NAME,
		CHUNKS_IN_TRAILER_VALUE,
		CHUNKS_AT_TRAILER_LF,
		CHUNKS_AT_LAST_LF,
		CHUNKS_ENDED,
	} state;
	uint64_t left;  /* of the chunk's data; its size while that is read */
	uint64_t total; /* content so far */
	size_t line, trailers;
};

enum chunks_result { CHUNKS_MORE, CHUNKS_DONE, CHUNKS_BAD };

/*
 * Decodes n bytes of `in` to `out`, which may be the same or begin before it. *ret_used says how
 * many were looked at (all, unless the body has ended), *ret_made how much content came of them.
 */
enum chunks_result chunks_decode(struct chunks *c, uint64_t max_body, uint64_t max_trailers,
				 const char *in, size_t n, char *out, size_t *ret_used,
				 size_t *ret_made, enum http_fault *ret_fault);

#endif
