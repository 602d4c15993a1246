#include "import/gob_type.h"

#include <stdlib.h>

#include "base/mem.h"

/* Far above what a Pushgateway writes: some 30 types, nested up to five deep. */
enum { TYPES_MAX = 1000, FIELDS_MAX = 20000, DEPTH_MAX = 20 };

void gob_reader_done(struct gob_reader *r)
{
	free(r->types);
	free(r->fields);
}

int gob_damaged(struct gob_reader *r, const char *what)
{
	return err_set(r->err, ERR_SYSTEM, 0, "damaged at byte %zu: %s",
		       (size_t)(r->in.p - r->start), what);
}

static void advance(struct gob_reader *r, size_t n)
{
	r->in.p += n;
	r->in.n -= n;
}

/* A number below 128 is one byte; a larger one is its bytes after their negated number. */
int gob_uint(struct gob_reader *r, uint64_t *ret)
{
	unsigned char first = r->in.n ? (unsigned char)r->in.p[0] : 0;
	unsigned n = first < 0x80 ? 0 : 256u - first;
	uint64_t v = n ? 0 : first;

	if (r->in.n == 0)
		return gob_damaged(r, "a number is missing");
	if (n > 8)
		return gob_damaged(r, "a number has more than 64 bits");
	if (n > r->in.n - 1)
		return gob_damaged(r, "a number is cut off");
	for (unsigned i = 1; i <= n; i++)
		v = v << 8 | (unsigned char)r->in.p[i];
	advance(r, n + 1);
	*ret = v;
	return 0;
}

int gob_int(struct gob_reader *r, int64_t *ret)
{
	uint64_t v;

	if (gob_uint(r, &v) < 0)
		return -1;
	*ret = v & 1 ? (int64_t) ~(v >> 1) : (int64_t)(v >> 1);
	return 0;
}

int gob_bytes(struct gob_reader *r, struct str *ret)
{
	uint64_t n;

	if (gob_uint(r, &n) < 0)
		return -1;
	if (n > r->in.n)
		return gob_damaged(r, "a string is longer than the message");
	*ret = (struct str){ r->in.p, n };
	advance(r, n);
	return 0;
}

int gob_count(struct gob_reader *r, uint64_t *ret)
{
	uint64_t n;

	if (gob_uint(r, &n) < 0)
		return -1;
	if (n > r->in.n)
		return gob_damaged(r, "more elements than the message has bytes");
	*ret = n;
	return 0;
}

int gob_next_field(struct gob_reader *r, int64_t *field)
{
	uint64_t delta;

	if (gob_uint(r, &delta) < 0)
		return -1;
	if (delta == 0)
		return 0;
	if (delta > FIELDS_MAX || *field > FIELDS_MAX)
		return gob_damaged(r, "a field that its type does not have");
	*field += (int64_t)delta;
	return 1;
}

/* ---- descriptions ---- */

const struct gob_type *gob_type(const struct gob_reader *r, int64_t id)
{
	for (uint32_t i = 0; i < r->n_types; i++)
		if (r->types[i].id == id)
			return &r->types[i];
	return NULL;
}

int64_t gob_field_named(const struct gob_reader *r, const struct gob_type *t, struct str name)
{
	for (uint32_t i = 0; i < t->n_fields; i++)
		if (str_eq(r->fields[t->field + i].name, name))
			return i;
	return -1;
}

/* Reads a struct of a string and a number: a type's CommonType, or a field of a struct type. */
static int read_named(struct gob_reader *r, struct gob_field *ret)
{
	int64_t field = -1;
	int more;

	while ((more = gob_next_field(r, &field)) > 0) {
		if (field > 1)
			return gob_damaged(r, "a description has a field too many");
		if ((field == 0 ? gob_bytes(r, &ret->name) : gob_int(r, &ret->type)) < 0)
			return -1;
	}
	return more;
}

static int add_field(struct gob_reader *r, const struct gob_field *f)
{
	if (r->n_fields == FIELDS_MAX)
		return gob_damaged(r, "too many fields");
	if (r->n_fields == r->cap_fields) {
		r->cap_fields = r->cap_fields ? r->cap_fields * 2 : 64;
		r->fields = mem_realloc(r->fields, r->cap_fields * sizeof(*r->fields));
	}
	r->fields[r->n_fields++] = *f;
	return 0;
}

static int read_fields(struct gob_reader *r, struct gob_type *t)
{
	uint64_t n;

	if (gob_count(r, &n) < 0)
		return -1;
	t->field = r->n_fields;
	for (; n > 0; n--) {
		struct gob_field f = { 0 };

		if (read_named(r, &f) < 0 || add_field(r, &f) < 0)
			return -1;
	}
	t->n_fields = r->n_fields - t->field;
	return 0;
}

/*
 * Reads what comes after the CommonType. Nothing in that is needed, and even its id may differ from
 * the message's.
 */
static int read_detail(struct gob_reader *r, struct gob_type *t, int64_t field)
{
	if (t->kind == GOB_STRUCT && field == 1)
		return read_fields(r, t);
	if (t->kind == GOB_MAP && field <= 2)
		return gob_int(r, field == 1 ? &t->key : &t->elem);
	if ((t->kind == GOB_ARRAY && field <= 2) || (t->kind == GOB_SLICE && field == 1)) {
		int64_t length;

		return gob_int(r, field == 1 ? &t->elem : &length);
	}
	return gob_damaged(r, "a description has a field too many");
}

static int read_kind(struct gob_reader *r, struct gob_type *t)
{
	struct gob_field common = { 0 };
	int64_t field = -1;
	int more;

	while ((more = gob_next_field(r, &field)) > 0)
		if ((field == 0 ? read_named(r, &common) : read_detail(r, t, field)) < 0)
			return -1;
	return more;
}

int gob_describe(struct gob_reader *r, int64_t id)
{
	struct gob_type t = { .id = id };
	int64_t kind = -1;

	if (id < GOB_FIRST_DESCRIBED || gob_type(r, id))
		return gob_damaged(r, "a type is described twice");
	if (r->n_types == TYPES_MAX)
		return gob_damaged(r, "too many types");
	if (gob_next_field(r, &kind) <= 0 || kind > GOB_TEXT_MARSHALER)
		return gob_damaged(r, "a type of no known kind");
	t.kind = (enum gob_kind)kind;
	if (read_kind(r, &t) < 0)
		return -1;
	if (r->in.n != 1 || r->in.p[0] != 0)
		return gob_damaged(r, "a description has a wrong end");
	if (r->n_types == r->cap_types) {
		r->cap_types = r->cap_types ? r->cap_types * 2 : 64;
		r->types = mem_realloc(r->types, r->cap_types * sizeof(*r->types));
	}
	r->types[r->n_types++] = t;
	return 0;
}

/* ---- values ---- */

/* NOLINTBEGIN(misc-no-recursion): DEPTH_MAX ends it. */
static int skip(struct gob_reader *r, int64_t type, unsigned depth);

static int skip_elements(struct gob_reader *r, const struct gob_type *t, unsigned depth)
{
	uint64_t n;

	if (gob_count(r, &n) < 0)
		return -1;
	for (; n > 0; n--) {
		if (t->kind == GOB_MAP && skip(r, t->key, depth) < 0)
			return -1;
		if (skip(r, t->elem, depth) < 0)
			return -1;
	}
	return 0;
}

static int skip_struct(struct gob_reader *r, const struct gob_type *t, unsigned depth)
{
	int64_t field = -1;
	int more;

	while ((more = gob_next_field(r, &field)) > 0) {
		if (field >= t->n_fields)
			return gob_damaged(r, "a field that its type does not have");
		if (skip(r, r->fields[t->field + field].type, depth) < 0)
			return -1;
	}
	return more;
}

static int skip_described(struct gob_reader *r, int64_t type, unsigned depth)
{
	const struct gob_type *t = gob_type(r, type);
	struct str bytes;

	if (!t)
		return gob_damaged(r, "a value of a type that is not described");
	if (depth == DEPTH_MAX)
		return gob_damaged(r, "values nest too deep");
	switch (t->kind) {
	case GOB_ARRAY:
	case GOB_SLICE:
	case GOB_MAP:
		return skip_elements(r, t, depth + 1);
	case GOB_STRUCT:
		return skip_struct(r, t, depth + 1);
	default:
		return gob_bytes(r, &bytes);
	}
}

static int skip(struct gob_reader *r, int64_t type, unsigned depth)
{
	struct str bytes;
	uint64_t number;

	switch (type) {
	case GOB_BOOL:
	case GOB_INT:
	case GOB_UINT:
	case GOB_FLOAT:
		return gob_uint(r, &number);
	case GOB_BYTES:
	case GOB_STRING:
		return gob_bytes(r, &bytes);
	case GOB_COMPLEX:
		return gob_uint(r, &number) < 0 ? -1 : gob_uint(r, &number);
	default:
		return skip_described(r, type, depth);
	}
}
/* NOLINTEND(misc-no-recursion) */

int gob_skip(struct gob_reader *r, int64_t type, struct str *ret_span)
{
	const char *start = r->in.p;

	if (skip(r, type, 0) < 0)
		return -1;
	if (ret_span)
		*ret_span = (struct str){ start, (size_t)(r->in.p - start) };
	return 0;
}
