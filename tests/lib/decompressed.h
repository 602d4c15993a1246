/* Decompresses a body, and checks what has to hold for every call. Needs assert(). */
#ifndef TESTS_LIB_DECOMPRESSED_H
#define TESTS_LIB_DECOMPRESSED_H

#include <assert.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "codec/decompress.h"

struct decompressed {
	int r;
	struct err err;
	struct strbuf out;
};

static inline void decompressed_done(struct decompressed *d)
{
	strbuf_done(&d->out);
}

static inline void check_refusal(const struct err *err)
{
	assert(err->reason == ERR_INVALID || err->reason == ERR_TOO_LARGE);
	assert(err->line == 0);
	assert(err->msg[0] && !strchr(err->msg, '\n') && utf8_valid(str_of(err->msg)));
	assert((err->reason == ERR_TOO_LARGE) == (strstr(err->msg, "--limits.body-size") != NULL));
}

static inline struct decompressed decompressed(enum content_coding coding, struct str in,
					       size_t max)
{
	struct decompressed d = { 0 };
	/* Ends where the body ends, for the address sanitizer. */
	CLEANUP(freep) char *copy = malloc(in.n ? in.n : 1);

	if (in.n)
		memcpy(copy, in.p, in.n);
	d.r = decompress(coding, (struct str){ copy, in.n }, max, &d.out, &d.err);
	assert(d.r == 0 || d.r == -1);
	if (d.r < 0)
		check_refusal(&d.err);
	else
		assert(d.out.n <= max);
	/* A block of snappy, and the byte that strbuf_z() may need. */
	assert(d.out.cap <= max + 65536 + 1);
	return d;
}

#endif
