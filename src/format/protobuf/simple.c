#include "format/protobuf/simple.h"

#include "base/le.h"
#include "format/protobuf/wire.h"

enum { MAX_LABELS = 16, VALUE_SIZE = 2 + 9 };

/* Takes a field of bytes with this tag off the front of *s. */
static bool take_bytes(struct str *s, char tag, struct str *ret)
{
	uint64_t n;

	if (s->n < 2 || s->p[0] != tag)
		return false;
	*s = (struct str){ s->p + 1, s->n - 1 };
	if (wire_varint(s, &n) != WIRE_OK || n > s->n)
		return false;
	*ret = (struct str){ s->p, n };
	*s = (struct str){ s->p + n, s->n - n };
	return true;
}

/* Returns how many there are, or -1. */
static int take_labels(struct str s, const struct decode_limits *lim,
		       struct label labels[MAX_LABELS])
{
	uint32_t n = 0;

	for (; s.n > 0; n++) {
		struct label *l = &labels[n];
		struct str pair;

		if (n == MAX_LABELS || n == lim->max_labels || !take_bytes(&s, 0x0A, &pair) ||
		    !take_bytes(&pair, 0x0A, &l->name) || !take_bytes(&pair, 0x12, &l->value) ||
		    pair.n > 0 || l->name.n > lim->max_label_name ||
		    l->value.n > lim->max_label_value)
			return -1;
	}
	return (int)n;
}

static struct shared_labels *labels_of(struct str raw, const struct decode_limits *lim,
				       struct arena *a, struct shared_labels **last)
{
	struct shared_labels *found = shared_labels_find(last, raw);
	struct label labels[MAX_LABELS];
	int n;

	if (found && found->raw.n == raw.n)
		return found;
	n = take_labels(raw, lim, labels);
	return n < 0 ? NULL : shared_labels_add(last, a, raw, labels, (uint32_t)n);
}

/* Reads a message that holds one double and nothing else. */
static bool take_value(const char p[VALUE_SIZE], struct metric *m)
{
	uint64_t bits;
	double v;

	if (p[1] != 9 || p[2] != 0x09)
		return false;
	bits = le_take(p + 3, 8);
	memcpy(&v, &bits, sizeof(v));
	switch (p[0]) {
	case 0x12:
		m->gauge = v;
		m->has = HAS_GAUGE;
		return true;
	case 0x1A:
		m->counter = v;
		m->has = HAS_COUNTER;
		return true;
	case 0x2A:
		m->untyped = v;
		m->has = HAS_UNTYPED;
		return true;
	default:
		return false;
	}
}

struct metric *proto_simple_decode(struct str bytes, const struct decode_limits *lim,
				   struct arena *a, struct shared_labels **last)
{
	struct metric value = { 0 }, *m;

	if (bytes.n < VALUE_SIZE || !take_value(bytes.p + bytes.n - VALUE_SIZE, &value))
		return NULL;
	if (bytes.n > VALUE_SIZE) {
		struct str raw = { bytes.p, bytes.n - VALUE_SIZE };
		struct shared_labels *l = labels_of(raw, lim, a, last);

		if (!l)
			return NULL;
		value.labels = l->labels;
		value.n_labels = l->n;
	}
	m = arena_alloc(a, sizeof(*m));
	if (m)
		*m = value;
	return m;
}
