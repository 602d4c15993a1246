#include "format/protobuf/encode.h"

#include <math.h>

#include "base/array.h"
#include "base/le.h"
#include "format/protobuf/wire.h"

/* A tag (one or two bytes) with the longest value but for strings and messages. */
enum { FIELD_MAX = 2 + WIRE_VARINT_MAX };

static unsigned put_tag(char *to, uint32_t number, enum wire_type type)
{
	return wire_put_varint(to, number << 3 | type);
}

static unsigned put_double(char *to, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	le_put(to, bits, 8);
	return 8;
}

/* ZigZag encoding of sint32 and sint64: the sign is in the lowest bit. */
static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static void add_varint(struct strbuf *out, uint32_t number, uint64_t v)
{
	char *to = strbuf_reserve(out, FIELD_MAX);
	unsigned n = put_tag(to, number, WIRE_VARINT);

	out->n += n + wire_put_varint(to + n, v);
}

static void add_double(struct strbuf *out, uint32_t number, double v)
{
	char *to = strbuf_reserve(out, FIELD_MAX);
	unsigned n = put_tag(to, number, WIRE_64BIT);

	out->n += n + put_double(to + n, v);
}

/*
 * A float count of 0 is left out, so that readers take the integer count. -0 and NaN are written.
 */
static void add_double_if(struct strbuf *out, uint32_t number, double v)
{
	if (v != 0 || signbit(v))
		add_double(out, number, v);
}

static void add_bytes(struct strbuf *out, uint32_t number, struct str s)
{
	char *to = strbuf_reserve(out, FIELD_MAX + s.n);
	unsigned n = put_tag(to, number, WIRE_BYTES);

	n += wire_put_varint(to + n, s.n);
	copy_bytes(to + n, s.p, s.n);
	out->n += n + s.n;
}

static unsigned varint_size(uint64_t v)
{
	char unused[WIRE_VARINT_MAX];

	return v < 0x80 ? 1 : wire_put_varint(unused, v);
}

/*
 * A message is written before its length is known. One byte is reserved for the length, and the
 * message is moved if that is too little: cheaper than computing all sizes first.
 */
static size_t open_length(struct strbuf *out)
{
	strbuf_reserve(out, 1);
	return out->n++;
}

static void close_length(struct strbuf *out, size_t at)
{
	size_t len = out->n - at - 1;
	unsigned n = varint_size(len);

	if (n > 1) {
		strbuf_reserve(out, n - 1);
		move_bytes(out->p + at + n, out->p + at + 1, len);
		out->n += n - 1;
	}
	wire_put_varint(out->p + at, len);
}

static size_t open_message(struct strbuf *out, uint32_t number)
{
	out->n += put_tag(strbuf_reserve(out, FIELD_MAX), number, WIRE_BYTES);
	return open_length(out);
}

static size_t label_size(const struct label *l)
{
	return 2 + varint_size(l->name.n) + l->name.n + varint_size(l->value.n) + l->value.n;
}

static void add_label(struct strbuf *out, const struct label *l)
{
	size_t len = label_size(l);
	char *to = strbuf_reserve(out, (size_t)3 * FIELD_MAX + len);
	const char *start = to;

	to += put_tag(to, 1, WIRE_BYTES);
	to += wire_put_varint(to, len);
	to += put_tag(to, 1, WIRE_BYTES);
	to += wire_put_varint(to, l->name.n);
	copy_bytes(to, l->name.p, l->name.n);
	to += l->name.n;
	to += put_tag(to, 2, WIRE_BYTES);
	to += wire_put_varint(to, l->value.n);
	copy_bytes(to, l->value.p, l->value.n);
	to += l->value.n;
	out->n += (size_t)(to - start);
}

static void add_timestamp(struct strbuf *out, uint32_t number, const struct timestamp *ts)
{
	if (!ts->set)
		return;
	size_t at = open_message(out, number);

	/* proto3 leaves out what is zero. */
	if (ts->seconds)
		add_varint(out, 1, (uint64_t)ts->seconds);
	if (ts->nanos)
		add_varint(out, 2, (uint64_t)(int64_t)ts->nanos);
	close_length(out, at);
}

static void add_exemplar(struct strbuf *out, uint32_t number, const struct exemplar *e)
{
	size_t at = open_message(out, number);

	for (uint32_t i = 0; i < e->n_labels; i++)
		add_label(out, &e->labels[i]);
	add_double(out, 2, e->value);
	add_timestamp(out, 3, &e->ts);
	close_length(out, at);
}

static void add_value(struct strbuf *out, uint32_t number, double v)
{
	char *to = strbuf_reserve(out, (size_t)2 * FIELD_MAX);
	unsigned n = put_tag(to, number, WIRE_BYTES);

	to[n++] = 9; /* the length of a tag and a double */
	n += put_tag(to + n, 1, WIRE_64BIT);
	out->n += n + put_double(to + n, v);
}

static void add_counter(struct strbuf *out, const struct metric *m)
{
	size_t at = open_message(out, 3);

	add_double(out, 1, m->counter);
	if (m->exemplar)
		add_exemplar(out, 2, m->exemplar);
	add_timestamp(out, 3, &m->counter_created);
	close_length(out, at);
}

static void add_summary(struct strbuf *out, const struct summary *s)
{
	size_t at = open_message(out, 4);

	add_varint(out, 1, s->count);
	add_double(out, 2, s->sum);
	for (uint32_t i = 0; i < s->n_quantiles; i++) {
		size_t inner = open_message(out, 3);

		add_double(out, 1, s->quantiles[i].quantile);
		add_double(out, 2, s->quantiles[i].value);
		close_length(out, inner);
	}
	add_timestamp(out, 4, &s->created);
	close_length(out, at);
}

/*
 * An integer count is written even if it is 0, since readers expect one; a float histogram has
 * none.
 */
static void add_count(struct strbuf *out, uint32_t number, uint64_t count, double count_float)
{
	if (count || !(count_float > 0))
		add_varint(out, number, count);
}

static void add_bucket(struct strbuf *out, const struct bucket *b)
{
	size_t at = open_message(out, 3);

	add_count(out, 1, b->count, b->count_float);
	add_double(out, 2, b->upper_bound);
	if (b->exemplar)
		add_exemplar(out, 3, b->exemplar);
	add_double_if(out, 4, b->count_float);
	close_length(out, at);
}

static void add_spans(struct strbuf *out, uint32_t number, const struct span *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		size_t at = open_message(out, number);

		add_varint(out, 1, zigzag(s[i].offset));
		add_varint(out, 2, s[i].length);
		close_length(out, at);
	}
}

static void add_deltas(struct strbuf *out, uint32_t number, const int64_t *v, uint32_t n)
{
	if (n == 0)
		return;
	size_t at = open_message(out, number);

	for (uint32_t i = 0; i < n; i++)
		out->n += wire_put_varint(strbuf_reserve(out, WIRE_VARINT_MAX), zigzag(v[i]));
	close_length(out, at);
}

static void add_counts(struct strbuf *out, uint32_t number, const double *v, uint32_t n)
{
	if (n == 0)
		return;
	size_t at = open_message(out, number);

	for (uint32_t i = 0; i < n; i++)
		out->n += put_double(strbuf_reserve(out, 8), v[i]);
	close_length(out, at);
}

static void add_native(struct strbuf *out, const struct histogram *h)
{
	if (h->has_schema)
		add_varint(out, 5, (uint32_t)zigzag(h->schema));
	if (h->has_zero_threshold)
		add_double(out, 6, h->zero_threshold);
	if (h->has_zero_count)
		add_varint(out, 7, h->zero_count);
	if (h->has_zero_count_float)
		add_double(out, 8, h->zero_count_float);
	add_spans(out, 9, h->neg_spans, h->n_neg_spans);
	add_deltas(out, 10, h->neg_deltas, h->n_neg_deltas);
	add_counts(out, 11, h->neg_counts, h->n_neg_counts);
	add_spans(out, 12, h->pos_spans, h->n_pos_spans);
	add_deltas(out, 13, h->pos_deltas, h->n_pos_deltas);
	add_counts(out, 14, h->pos_counts, h->n_pos_counts);
}

static void add_histogram(struct strbuf *out, const struct histogram *h)
{
	size_t at = open_message(out, 7);

	add_count(out, 1, h->count, h->count_float);
	add_double(out, 2, h->sum);
	for (uint32_t i = 0; i < h->n_buckets; i++)
		add_bucket(out, &h->buckets[i]);
	add_double_if(out, 4, h->count_float);
	add_native(out, h);
	add_timestamp(out, 15, &h->created);
	for (uint32_t i = 0; i < h->n_exemplars; i++)
		add_exemplar(out, 16, &h->exemplars[i]);
	close_length(out, at);
}

/* One value and nothing else: no exemplar and no times. */
static bool is_simple(const struct metric *m)
{
	return (m->has == HAS_GAUGE || m->has == HAS_COUNTER || m->has == HAS_UNTYPED) &&
	       !m->exemplar && !m->counter_created.set && !m->has_timestamp;
}

static size_t labels_size(const struct metric *m)
{
	size_t n = 0;

	for (uint32_t i = 0; i < m->n_labels; i++) {
		size_t len = label_size(&m->labels[i]);

		n += 1 + varint_size(len) + len;
	}
	return n;
}

/* Most metrics are simple. Their length is known before they are written. */
static void add_simple(struct strbuf *out, const struct metric *m, struct extent *labels)
{
	enum { VALUE_SIZE = 2 + 9 };
	size_t n_labels = labels->n ? labels->n : labels_size(m);
	char *to = strbuf_reserve(out, FIELD_MAX + n_labels + VALUE_SIZE);
	unsigned n = put_tag(to, 4, WIRE_BYTES);

	out->n += n + wire_put_varint(to + n, n_labels + VALUE_SIZE);
	if (labels->n) {
		strbuf_repeat(out, *labels);
	} else {
		*labels = (struct extent){ out->n, n_labels };
		for (uint32_t i = 0; i < m->n_labels; i++)
			add_label(out, &m->labels[i]);
	}
	if (m->has == HAS_GAUGE)
		add_value(out, 2, m->gauge);
	else if (m->has == HAS_COUNTER)
		add_value(out, 3, m->counter);
	else
		add_value(out, 5, m->untyped);
}

static void add_any(struct strbuf *out, const struct metric *m)
{
	size_t at = open_message(out, 4);

	for (uint32_t i = 0; i < m->n_labels; i++)
		add_label(out, &m->labels[i]);
	if (m->has & HAS_GAUGE)
		add_value(out, 2, m->gauge);
	if (m->has & HAS_COUNTER)
		add_counter(out, m);
	if (m->has & HAS_SUMMARY)
		add_summary(out, m->summary);
	if (m->has & HAS_UNTYPED)
		add_value(out, 5, m->untyped);
	/*
	 * A metric with a timestamp is refused whatever the time is, so the time itself is not
	 * kept.
	 */
	if (m->has_timestamp)
		add_varint(out, 6, 0);
	if (m->has & HAS_HISTOGRAM)
		add_histogram(out, m->histogram);
	close_length(out, at);
}

void proto_encode_metric_again(const struct metric *m, struct extent *labels, struct strbuf *out)
{
	if (is_simple(m))
		add_simple(out, m, labels);
	else
		add_any(out, m);
}

void proto_encode_metric(const struct metric *m, struct strbuf *out)
{
	struct extent labels = { 0 };

	proto_encode_metric_again(m, &labels, out);
}

unsigned proto_put_length(char to[PROTO_LENGTH_MAX], size_t n)
{
	return wire_put_varint(to, n);
}

void proto_encode_head(const struct family *f, struct strbuf *out)
{
	if (f->name.n)
		add_bytes(out, 1, f->name);
	if (f->has_help)
		add_bytes(out, 2, f->help);
	add_varint(out, 3, (uint64_t)(int64_t)f->type);
}

void proto_encode_tail(const struct family *f, struct strbuf *out)
{
	if (f->unit.n)
		add_bytes(out, 5, f->unit);
}

void proto_encode_family(const struct family *f, struct strbuf *out)
{
	size_t at = open_length(out);

	proto_encode_head(f, out);
	for (const struct metric *m = f->metrics; m; m = m->next)
		proto_encode_metric(m, out);
	proto_encode_tail(f, out);
	close_length(out, at);
}
