/* Bodies of protobuf for tests, and what is decoded of them, as a short text. */
#ifndef TESTS_UNIT_FORMAT_PROTO_BODIES_H
#define TESTS_UNIT_FORMAT_PROTO_BODIES_H

#include <stdlib.h>

#include "format/protobuf/decode.h"
#include "format/protobuf/wire.h"

static const struct decode_limits roomy = {
	.max_labels = 10, .max_label_name = 50, .max_label_value = 200, .max_series = 1000
};

/* One decoded body with all that it hangs on to. */
struct decoded {
	int r;
	struct family *families;
	struct err err;
	struct arena arena;
	char *body; /* exactly as long as it has to be, for the address sanitizer */
};

static inline struct decoded decode(struct str body, const struct decode_limits *lim, size_t memory)
{
	struct decoded d = { .body = malloc(body.n ? body.n : 1) };

	if (body.n)
		memcpy(d.body, body.p, body.n);
	arena_init(&d.arena, memory);
	d.r = proto_decode((struct str){ body.n ? d.body : NULL, body.n }, lim, &d.arena,
			   &d.families, &d.err);
	return d;
}

static inline void decoded_done(struct decoded *d)
{
	arena_done(&d->arena);
	free(d->body);
}

/* Puts a length in front, and a tag unless number is 0. */
static inline void add_framed(struct strbuf *out, unsigned number, struct str payload)
{
	char prefix[2 * WIRE_VARINT_MAX];
	unsigned n = number ? wire_put_varint(prefix, number << 3 | WIRE_BYTES) : 0;

	n += wire_put_varint(prefix + n, payload.n);
	strbuf_add(out, prefix, n);
	strbuf_adds(out, payload);
}

#define ONE "\x09\0\0\0\0\0\0\xf0\x3f" /* field 1: 1.0 */
#define TWO "\x09\0\0\0\0\0\0\0\x40"   /* field 1: 2.0 */
#define FF8 "\xff\xff\xff\xff\xff\xff\xff\xff"
#define GAUGE_ONE "\x12\x09" ONE
#define EOF_TEXT "unexpected EOF"
#define BAD_TEXT "proto: cannot parse invalid wire-format data"
#define OVERFLOW_TEXT "proto: variable length integer overflow"

/* What `in` is: a whole body, a family named n, or a metric of a gauge family n. */
enum level { BODY, FAMILY, METRIC };

static inline void frame(struct strbuf *out, enum level level, struct str in)
{
	CLEANUP(strbuf_done) struct strbuf family = { 0 };

	if (level == BODY) {
		strbuf_adds(out, in);
		return;
	}
	strbuf_adds(&family, STR("\x0a\x01n"));
	if (level == FAMILY) {
		strbuf_adds(&family, in);
	} else {
		strbuf_adds(&family, STR("\x18\x01"));
		add_framed(&family, 4, in);
	}
	add_framed(out, 0, strbuf_str(&family));
}

#endif
