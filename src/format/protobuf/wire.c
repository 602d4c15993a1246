#include "format/protobuf/wire.h"

#include "base/array.h"

enum {
	MAX_NUMBER = (1 << 29) - 1,
	/*
	 * Go follows 10,000 levels. No client sends groups, and a low limit keeps the stack of open
	 * ones small.
	 */
	MAX_GROUPS = 100,
	/*
	 * protobuf-c reads lengths up to this. It reads tags of up to five bytes, but those of
	 * known fields have at most two.
	 */
	MAX_LENGTH_BYTES = 5,
	MAX_TAG_BYTES = 2,
};

static void skip(struct str *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

static int long_varint(struct str *s, uint64_t *ret_v)
{
	uint64_t v = 0;
	size_t max = s->n < WIRE_VARINT_MAX ? s->n : WIRE_VARINT_MAX;

	for (size_t i = 0; i < max; i++) {
		uint8_t byte = (uint8_t)s->p[i];

		if (i == WIRE_VARINT_MAX - 1 && byte > 1)
			return WIRE_OVERFLOW;
		v |= (uint64_t)(byte & 0x7F) << (7 * i);
		if (byte < 0x80) {
			skip(s, i + 1);
			*ret_v = v;
			return WIRE_OK;
		}
	}
	return WIRE_TRUNCATED;
}

static inline int read_varint(struct str *s, uint64_t *ret_v)
{
	/* Nearly all varints have one byte: tags, lengths of labels. */
	if (s->n == 0 || (uint8_t)s->p[0] >= 0x80)
		return long_varint(s, ret_v);
	*ret_v = (uint8_t)s->p[0];
	skip(s, 1);
	return WIRE_OK;
}

int wire_varint(struct str *s, uint64_t *ret_v)
{
	return read_varint(s, ret_v);
}

static inline bool read_tag(struct str *s, struct wire_field *f)
{
	const char *start = s->p;
	uint64_t tag;

	if (read_varint(s, &tag) != WIRE_OK || tag >> 3 == 0 || tag >> 3 > MAX_NUMBER)
		return false;
	f->number = (uint32_t)(tag >> 3);
	f->type = tag & 7;
	f->long_form = s->p - start > MAX_TAG_BYTES;
	return true;
}

static inline bool read_fixed(struct str *s, size_t n, struct wire_field *f)
{
	if (s->n < n)
		return false;
	f->value = (struct str){ s->p, n };
	skip(s, n);
	return true;
}

/* Reads the value of any field but a group. */
static inline bool read_value(struct str *s, struct wire_field *f)
{
	const char *start = s->p;

	switch (f->type) {
	case WIRE_VARINT:
		if (read_varint(s, &f->varint) != WIRE_OK)
			return false;
		f->value = (struct str){ start, (size_t)(s->p - start) };
		return true;
	case WIRE_64BIT:
		return read_fixed(s, 8, f);
	case WIRE_32BIT:
		return read_fixed(s, 4, f);
	case WIRE_BYTES:
		if (read_varint(s, &f->varint) != WIRE_OK || f->varint > s->n)
			return false;
		f->long_form |= s->p - start > MAX_LENGTH_BYTES;
		return read_fixed(s, f->varint, f);
	default:
		return false;
	}
}

/* Without recursion, since the sender decides how deep groups are nested. */
static bool skip_group(struct str *s, uint32_t number)
{
	uint32_t open[MAX_GROUPS] = { number };
	unsigned depth = 1;
	struct wire_field f;

	while (depth > 0) {
		if (!read_tag(s, &f))
			return false;
		if (f.type == WIRE_START_GROUP) {
			if (depth == MAX_GROUPS)
				return false;
			open[depth++] = f.number;
		} else if (f.type == WIRE_END_GROUP) {
			if (open[--depth] != f.number)
				return false;
		} else if (!read_value(s, &f)) {
			return false;
		}
	}
	return true;
}

bool wire_next(struct str *s, struct wire_field *ret_f)
{
	const char *start = s->p;

	if (!read_tag(s, ret_f))
		return false;
	if (ret_f->type == WIRE_START_GROUP ? !skip_group(s, ret_f->number) : !read_value(s, ret_f))
		return false;
	ret_f->raw = (struct str){ start, (size_t)(s->p - start) };
	return true;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *desc,
						  uint32_t number)
{
	/* Fields are nearly always numbered without gaps and sorted, so the number is an index. */
	if (number <= desc->n_fields && desc->fields[number - 1].id == number)
		return &desc->fields[number - 1];
	return protobuf_c_message_descriptor_get_field(desc, number);
}

static bool is_packed(const ProtobufCFieldDescriptor *fd, const struct wire_field *f)
{
	return f->type == WIRE_BYTES && fd->type != PROTOBUF_C_TYPE_BYTES &&
	       fd->type != PROTOBUF_C_TYPE_MESSAGE;
}

const ProtobufCFieldDescriptor *wire_known(const ProtobufCMessageDescriptor *desc,
					   const struct wire_field *f)
{
	const ProtobufCFieldDescriptor *fd = find_field(desc, f->number);

	if (!fd)
		return NULL;
	/* Readers have to accept numbers packed and one by one, whichever the schema says. */
	if (is_packed(fd, f))
		return fd->label == PROTOBUF_C_LABEL_REPEATED ? fd : NULL;

	uint32_t want = WIRE_VARINT;

	if (fd->type == PROTOBUF_C_TYPE_DOUBLE)
		want = WIRE_64BIT;
	else if (fd->type == PROTOBUF_C_TYPE_BYTES || fd->type == PROTOBUF_C_TYPE_MESSAGE)
		want = WIRE_BYTES;
	return f->type == want ? fd : NULL;
}

static enum wire_verdict check_packed(struct str s, const ProtobufCFieldDescriptor *fd)
{
	uint64_t v;

	if (fd->type == PROTOBUF_C_TYPE_DOUBLE)
		return s.n % 8 == 0 ? WIRE_GOOD : WIRE_BAD;
	while (s.n > 0)
		if (wire_varint(&s, &v) != WIRE_OK)
			return WIRE_BAD;
	return WIRE_GOOD;
}

static bool is_single_message(const ProtobufCFieldDescriptor *fd)
{
	return fd->type == PROTOBUF_C_TYPE_MESSAGE && fd->label != PROTOBUF_C_LABEL_REPEATED;
}

/* True: fd is a single message, and a piece of it came before. *seen has a bit for each field. */
static bool seen_before(const ProtobufCMessageDescriptor *desc, const ProtobufCFieldDescriptor *fd,
			uint32_t *seen)
{
	uint32_t bit = 1u << (fd - desc->fields);
	bool before = *seen & bit;

	if (!is_single_message(fd))
		return false;
	*seen |= bit;
	return before;
}

/*
 * NOLINTBEGIN(misc-no-recursion): only as deep as the schema, in which no message contains itself.
 */

enum wire_verdict wire_check(struct str s, const ProtobufCMessageDescriptor *desc)
{
	enum wire_verdict verdict = WIRE_GOOD;
	uint32_t seen = 0;

	while (s.n > 0) {
		enum wire_verdict inner = WIRE_GOOD;
		const ProtobufCFieldDescriptor *fd;
		struct wire_field f;

		if (!wire_next(&s, &f))
			return WIRE_BAD;
		fd = wire_known(desc, &f);
		if (!fd || f.long_form || seen_before(desc, fd, &seen))
			verdict = WIRE_FOREIGN;
		if (fd && fd->type == PROTOBUF_C_TYPE_MESSAGE)
			inner = wire_check(f.value, fd->descriptor);
		else if (fd && is_packed(fd, &f))
			inner = check_packed(f.value, fd);
		if (inner == WIRE_BAD)
			return WIRE_BAD;
		if (inner == WIRE_FOREIGN)
			verdict = WIRE_FOREIGN;
	}
	return verdict;
}

/*
 * A single message may come in several pieces, which protobuf merges into one. f is the first
 * piece, `later` the bytes after it.
 */
static bool join_pieces(struct wire_field *f, struct str later, struct arena *a)
{
	size_t n = f->value.n;
	struct wire_field g;
	char *to;

	for (struct str s = later; s.n > 0 && wire_next(&s, &g);)
		if (g.number == f->number && g.type == WIRE_BYTES)
			n += g.value.n;
	if (n == f->value.n)
		return true;
	to = arena_alloc(a, n);
	if (!to)
		return false;
	copy_bytes(to, f->value.p, f->value.n);
	f->value.p = to;
	for (struct str s = later; s.n > 0 && wire_next(&s, &g);) {
		if (g.number != f->number || g.type != WIRE_BYTES)
			continue;
		copy_bytes(to + f->value.n, g.value.p, g.value.n);
		f->value.n += g.value.n;
	}
	return true;
}

/*
 * The length of the copy is known at the end, so room for it is left in front: as much as the
 * length of the original takes, which is enough.
 */
static bool copy_message(struct str s, const ProtobufCMessageDescriptor *desc, struct arena *a,
			 char **to)
{
	char prefix[WIRE_VARINT_MAX];
	unsigned room = wire_put_varint(prefix, s.n);
	size_t n;

	if (!wire_copy_known(s, desc, a, *to + room, &n))
		return false;
	unsigned n_prefix = wire_put_varint(prefix, n);

	move_bytes(*to + n_prefix, *to + room, n);
	copy_bytes(*to, prefix, n_prefix);
	*to += n_prefix + n;
	return true;
}

static void copy_value(const struct wire_field *f, char **to)
{
	if (f->type == WIRE_BYTES)
		*to += wire_put_varint(*to, f->value.n);
	copy_bytes(*to, f->value.p, f->value.n);
	*to += f->value.n;
}

bool wire_copy_known(struct str s, const ProtobufCMessageDescriptor *desc, struct arena *a,
		     char *out, size_t *ret_n)
{
	uint32_t seen = 0;
	char *to = out;

	while (s.n > 0) {
		const ProtobufCFieldDescriptor *fd;
		struct wire_field f;

		if (!wire_next(&s, &f))
			break;
		fd = wire_known(desc, &f);
		if (!fd || seen_before(desc, fd, &seen))
			continue;
		if (is_single_message(fd) && !join_pieces(&f, s, a))
			return false;
		to += wire_put_varint(to, (uint64_t)f.number << 3 | f.type);
		if (fd->type != PROTOBUF_C_TYPE_MESSAGE)
			copy_value(&f, &to);
		else if (!copy_message(f.value, fd->descriptor, a, &to))
			return false;
	}
	*ret_n = (size_t)(to - out);
	return true;
}
/* NOLINTEND(misc-no-recursion) */
