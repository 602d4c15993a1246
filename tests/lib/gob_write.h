/*
 * Writes gob streams as Go's encoder does, piece by piece, for tests of the reader: with other
 * numbers, orders and types than a Pushgateway's, and wrong ones.
 */
#ifndef TESTS_LIB_GOB_WRITE_H
#define TESTS_LIB_GOB_WRITE_H

#include <stdint.h>

#include "base/str.h"

void gob_put_uint(struct strbuf *out, uint64_t v);
void gob_put_int(struct strbuf *out, int64_t v);
void gob_put_string(struct strbuf *out, struct str s);
/* Go's time.Time as it writes itself; version 2 has a zone offset with seconds. */
void gob_put_time(struct strbuf *out, int version, int64_t unix_seconds, uint32_t nanos);

/* A message: its length, then the body. */
void gob_put_message(struct strbuf *out, const struct strbuf *body);

/* Descriptions, each a message. */
void gob_describe_map(struct strbuf *out, int64_t id, int64_t key, int64_t elem);
void gob_describe_slice(struct strbuf *out, int64_t id, int64_t elem);
void gob_describe_array(struct strbuf *out, int64_t id, int64_t elem, int64_t length);
/* kind: 5 GobEncoder, 6 BinaryMarshaler, 7 TextMarshaler. */
void gob_describe_opaque(struct strbuf *out, int64_t id, int kind);

struct gob_written_field {
	const char *name;
	int64_t type;
};

void gob_describe_struct(struct strbuf *out, int64_t id, const struct gob_written_field *fields,
			 unsigned n);

#endif
