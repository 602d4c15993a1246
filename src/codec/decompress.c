#include "codec/decompress.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "codec/decompress_internal.h"

enum content_coding content_coding_of(struct str content_encoding)
{
	if (str_eq_nocase(content_encoding, STR("gzip")))
		return BODY_GZIP;
	if (str_eq_nocase(content_encoding, STR("snappy")))
		return BODY_SNAPPY;
	if (str_eq_nocase(content_encoding, STR("zstd")))
		return BODY_ZSTD;
	return BODY_IDENTITY;
}

int output_too_large(struct output *o)
{
	return err_set(o->err, ERR_TOO_LARGE, 0,
		       "decompressed body larger than %zu bytes (--limits.body-size)", o->max);
}

size_t output_room(struct output *o, size_t n)
{
	struct strbuf *b = o->to;
	/* One byte more is what strbuf_z() counts on. */
	size_t most = o->max + OUTPUT_SLACK + 1, need = b->n + n + 1, cap = 2 * b->cap;

	assert(n > 0 && need <= most);
	if (need <= b->cap)
		return b->cap - b->n - 1;
	if (cap < need)
		cap = need;
	if (cap > most)
		cap = most;

	/* A client decides how much, so a failure must not end the process as in mem_realloc(). */
	char *p = realloc(b->p, cap);

	if (!p) {
		err_set(o->err, ERR_BUSY, 0, "not enough memory to decompress the body, try again");
		return 0;
	}
	b->p = p;
	b->cap = cap;
	return cap - b->n - 1;
}

int output_added(struct output *o, size_t n)
{
	if (n > output_left(o))
		return output_too_large(o);
	o->to->n += n;
	return 0;
}

int decompress_check_start(enum content_coding coding, struct str in, struct err *err)
{
	return coding == BODY_GZIP ? gzip_skip_header(&in, err) : 0;
}

static int copy(struct str in, struct output *out)
{
	if (in.n > out->max)
		return output_too_large(out);
	if (in.n == 0)
		return 0;
	if (!output_room(out, in.n))
		return -1;
	copy_bytes(out->to->p, in.p, in.n);
	return output_added(out, in.n);
}

int decompress(enum content_coding coding, struct str in, size_t max_out, struct strbuf *out,
	       struct err *err)
{
	struct output o = { out, max_out, err };

	assert(max_out <= SIZE_MAX / 2);
	out->n = 0;
	switch (coding) {
	case BODY_GZIP:
		return decompress_gzip(in, &o);
	case BODY_SNAPPY:
		return decompress_snappy(in, &o);
	case BODY_ZSTD:
		return decompress_zstd(in, &o);
	case BODY_IDENTITY:
		break;
	}
	return copy(in, &o);
}
