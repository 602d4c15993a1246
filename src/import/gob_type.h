/*
 * Gob below the Pushgateway's own types: numbers, type descriptions, and walking over a value of
 * any described type (private to src/import/gob*.c).
 */
#ifndef IMPORT_GOB_TYPE_H
#define IMPORT_GOB_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Types that need no description. */
enum {
	GOB_BOOL = 1,
	GOB_INT = 2,
	GOB_UINT = 3,
	GOB_FLOAT = 4,
	GOB_BYTES = 5,
	GOB_STRING = 6,
	GOB_COMPLEX = 7,
	GOB_FIRST_DESCRIBED = 64,
};

/* Numbered as the fields of Go's wireType. The last three write themselves as a string of bytes. */
enum gob_kind {
	GOB_ARRAY,
	GOB_SLICE,
	GOB_STRUCT,
	GOB_MAP,
	GOB_ENCODER,
	GOB_BINARY_MARSHALER,
	GOB_TEXT_MARSHALER,
};

struct gob_field {
	struct str name;
	int64_t type;
};

struct gob_type {
	int64_t id;
	enum gob_kind kind;
	int64_t key, elem;        /* of a map; elem of arrays and slices, too */
	uint32_t field, n_fields; /* of a struct: in the reader's fields */
};

struct gob_reader {
	const char *start; /* of the file, for saying where it is damaged */
	struct str in;     /* what is left of the message at hand */
	struct gob_type *types;
	uint32_t n_types, cap_types;
	struct gob_field *fields;
	uint32_t n_fields, cap_fields;
	struct err *err;
};

void gob_reader_done(struct gob_reader *r);

/* -1: "damaged at byte N: what". */
int gob_damaged(struct gob_reader *r, const char *what);

/* Each takes a value off the front; -1: damaged. */
int gob_uint(struct gob_reader *r, uint64_t *ret);
int gob_int(struct gob_reader *r, int64_t *ret);
int gob_bytes(struct gob_reader *r, struct str *ret);
/* The number of elements that follow: never more than there are bytes. */
int gob_count(struct gob_reader *r, uint64_t *ret);
/* The next field of a struct value: 1 and its number, 0 at the end. Start with *field = -1. */
int gob_next_field(struct gob_reader *r, int64_t *field);

/* Reads the rest of a message that describes the type with that id. */
int gob_describe(struct gob_reader *r, int64_t id);
/* NULL: not described. */
const struct gob_type *gob_type(const struct gob_reader *r, int64_t id);
/* The number of a struct's field, -1: it has none of that name. */
int64_t gob_field_named(const struct gob_reader *r, const struct gob_type *t, struct str name);

/* Walks over a value of that type; *ret_span (or NULL) is what it walked over. */
int gob_skip(struct gob_reader *r, int64_t type, struct str *ret_span);

#endif
