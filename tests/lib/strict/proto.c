/* Delimited protobuf: only fields of the schema, in its wire types. */
#include <stdlib.h>
#include <string.h>

#include "book.h"

struct wire {
	struct book *book;
	const unsigned char *at, *end;
};

static int read_varint(struct wire *w, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (w->at == w->end)
			return wrong(w->book, "varint without an end");
		v |= (uint64_t)(*w->at & 0x7F) << shift;
		if (!(*w->at++ & 0x80)) {
			*ret = v;
			return 0;
		}
	}
	return wrong(w->book, "varint too long");
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static int read_double(struct wire *w, double *ret)
{
	uint64_t bits = 0;

	if (w->end - w->at < 8)
		return wrong(w->book, "double cut off");
	for (unsigned i = 0; i < 8; i++)
		bits |= (uint64_t)*w->at++ << 8 * i;
	memcpy(ret, &bits, sizeof(*ret));
	return 0;
}

static int read_bytes(struct wire *w, struct text *ret)
{
	uint64_t n;

	if (read_varint(w, &n) < 0)
		return -1;
	if (n > (uint64_t)(w->end - w->at))
		return wrong(w->book, "length beyond the end");
	*ret = (struct text){ (const char *)w->at, n };
	w->at += n;
	return 0;
}

static const struct schema_field *look_up(const struct schema *s, uint64_t number)
{
	for (const struct schema_field *f = s->fields; f->name; f++)
		if ((uint64_t)f->number == number)
			return f;
	return NULL;
}

static struct field *append(struct book *b, struct field ***tail, int number)
{
	struct field *f = book_alloc(b, sizeof(*f));

	f->number = number;
	**tail = f;
	*tail = &f->next;
	return f;
}

static int read_packed(struct wire *w, const struct schema_field *sf, struct field ***tail)
{
	struct text list;

	if (read_bytes(w, &list) < 0)
		return -1;
	struct wire in = { w->book, (const unsigned char *)list.p,
			   (const unsigned char *)list.p + list.n };

	while (in.at < in.end) {
		struct field *f = append(w->book, tail, sf->number);
		uint64_t v;

		if (sf->type == F_DOUBLE) {
			if (read_double(&in, &f->number_value) < 0)
				return -1;
			continue;
		}
		if (read_varint(&in, &v) < 0)
			return -1;
		f->integer = unzigzag(v);
	}
	return 0;
}

static int read_message(struct book *b, struct text bytes, const struct schema *s,
			struct field **ret);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the schema. */
static int read_one(struct wire *w, const struct schema_field *sf, unsigned type,
		    struct field ***tail)
{
	static const unsigned want[] = { [F_STRING] = 2, [F_DOUBLE] = 1, [F_VARINT] = 0,
					 [F_ZIGZAG] = 0, [F_ENUM] = 0,   [F_MESSAGE] = 2 };
	struct field *f;
	struct text bytes;
	uint64_t v;

	if (sf->repeated && sf->type != F_MESSAGE && type == 2)
		return read_packed(w, sf, tail);
	if (type != want[sf->type])
		return wrong(w->book, "%s has the wrong wire type", sf->name);
	f = append(w->book, tail, sf->number);
	switch (sf->type) {
	case F_DOUBLE:
		return read_double(w, &f->number_value);
	case F_STRING:
		if (read_bytes(w, &f->bytes) < 0)
			return -1;
		return is_utf8(f->bytes) ? 0 : wrong(w->book, "%s is not UTF-8", sf->name);
	case F_MESSAGE:
		return read_bytes(w, &bytes) < 0
			       ? -1
			       : read_message(w->book, bytes, sf->message, &f->inner);
	default:
		if (read_varint(w, &v) < 0)
			return -1;
		f->integer = sf->type == F_ZIGZAG ? unzigzag(v) : (int64_t)v;
		return 0;
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the schema. */
static int read_message(struct book *b, struct text bytes, const struct schema *s,
			struct field **ret)
{
	struct wire w = { b, (const unsigned char *)bytes.p,
			  (const unsigned char *)bytes.p + bytes.n };
	struct field **tail = ret;
	uint32_t seen = 0;

	*ret = NULL;
	while (w.at < w.end) {
		const struct schema_field *sf;
		uint64_t tag;

		if (read_varint(&w, &tag) < 0)
			return -1;
		sf = look_up(s, tag >> 3);
		if (!sf)
			return wrong(b, "%s has no field %u", s->name, (unsigned)(tag >> 3));
		if (!sf->repeated && seen & 1u << sf->number)
			return wrong(b, "%s is there twice", sf->name);
		seen |= 1u << sf->number;
		if (read_one(&w, sf, tag & 7, &tail) < 0)
			return -1;
	}
	return 0;
}

int read_proto(struct book *b, struct text body)
{
	struct wire w = { b, (const unsigned char *)body.p,
			  (const unsigned char *)body.p + body.n };

	while (w.at < w.end) {
		struct field *fields;
		struct text bytes;

		if (read_bytes(&w, &bytes) < 0 ||
		    read_message(b, bytes, &metric_family, &fields) < 0 ||
		    check_family(b, fields) < 0)
			return -1;
	}
	return 0;
}
