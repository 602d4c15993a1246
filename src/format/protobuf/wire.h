/*
 * Protobuf wire format, field by field, with Go's idea of what is valid.
 *
 * protobuf-c disagrees with Go at the edges: it refuses a whole message for a field of another wire
 * type than the schema's, for a group, or for a tag or length written longer than needed (Go
 * skips or takes those), and takes varints of more than 64 bits (Go refuses them). So a message is
 * checked here first, and what protobuf-c would stumble over is left out of a copy. A message in
 * many pieces is joined there as well: protobuf-c merges them in quadratic time and memory.
 */
#ifndef FORMAT_PROTOBUF_WIRE_H
#define FORMAT_PROTOBUF_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_64BIT = 1,
	WIRE_BYTES = 2,
	WIRE_START_GROUP = 3,
	WIRE_END_GROUP = 4,
	WIRE_32BIT = 5,
};

/* The most bytes a varint has. */
#define WIRE_VARINT_MAX 10

struct wire_field {
	uint32_t number;
	uint32_t type;    /* enum wire_type, never WIRE_END_GROUP */
	bool long_form;   /* tag or length has more bytes than protobuf-c reads */
	struct str raw;   /* all of it: tag, length, value */
	struct str value; /* of WIRE_BYTES: without its length */
	uint64_t varint;  /* of WIRE_VARINT */
};

enum { WIRE_OK, WIRE_TRUNCATED, WIRE_OVERFLOW };

/* Takes a varint off the front of *s; on failure *s is where it was. */
int wire_varint(struct str *s, uint64_t *ret_v);

/* Takes a field off the front of *s (not empty). A group counts as one field. False: invalid. */
bool wire_next(struct str *s, struct wire_field *ret_f);

/* The field of the schema that f is, or NULL when it has none of that number and wire type. */
const ProtobufCFieldDescriptor *wire_known(const ProtobufCMessageDescriptor *desc,
					   const struct wire_field *f);

/*
 * Looks through a whole message. WIRE_BAD: Go refuses it. WIRE_FOREIGN: valid, but something in it
 * is not in the schema or not for protobuf-c to read.
 */
enum wire_verdict { WIRE_GOOD, WIRE_FOREIGN, WIRE_BAD };
enum wire_verdict wire_check(struct str s, const ProtobufCMessageDescriptor *desc);

/*
 * Writes what the schema knows of a message that wire_check() found foreign, at all depths, to out
 * (room for s.n bytes); *ret_n is the length. Parts of a message given in pieces are joined.
 * False: a is exhausted.
 */
bool wire_copy_known(struct str s, const ProtobufCMessageDescriptor *desc, struct arena *a,
		     char *out, size_t *ret_n);

static inline unsigned wire_put_varint(char *to, uint64_t v)
{
	unsigned n = 0;

	while (v >= 0x80) {
		to[n++] = (char)(v | 0x80);
		v >>= 7;
	}
	to[n++] = (char)v;
	return n;
}

#endif
