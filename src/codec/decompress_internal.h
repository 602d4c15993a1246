/* Shared by the codecs. Only for src/codec/decompress*.c. */
#ifndef CODEC_DECOMPRESS_INTERNAL_H
#define CODEC_DECOMPRESS_INTERNAL_H

#include "base/err.h"
#include "base/le.h"
#include "base/str.h"

/* How far a codec may write behind the limit before it is told: a block of snappy. */
enum { OUTPUT_SLACK = 65536 };

struct output {
	struct strbuf *to;
	size_t max;
	struct err *err;
};

/* How many more bytes the limit allows. */
static inline size_t output_left(const struct output *o)
{
	return o->max - o->to->n;
}

/*
 * Room for at least n > 0 more bytes at the end of o->to, of which n - OUTPUT_SLACK may still be
 * within the limit. Returns how many bytes fit, which may be more than n; 0: no memory, ERR_BUSY.
 */
size_t output_room(struct output *o, size_t n);

/* The codec has written n bytes into that room. -1: ERR_TOO_LARGE. */
int output_added(struct output *o, size_t n);

/* Returns -1 with ERR_TOO_LARGE. */
int output_too_large(struct output *o);

/* A first guess at what n bytes of metrics become. */
static inline size_t output_guess(const struct output *o, size_t n)
{
	size_t left = output_left(o);

	return n < left / 4 ? 4 * n + 1 : left + 1;
}

static inline void str_skip(struct str *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

int gzip_skip_header(struct str *in, struct err *err);
int decompress_gzip(struct str in, struct output *out);
int decompress_snappy(struct str in, struct output *out);
int decompress_zstd(struct str in, struct output *out);

#endif
