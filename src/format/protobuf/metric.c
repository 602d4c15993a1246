#include "format/protobuf/metric.h"

#include "base/array.h"
#include "format/protobuf/wire.h"
#include "metrics.pb-c.h"

typedef Io__Prometheus__Client__Bucket pb_bucket;
typedef Io__Prometheus__Client__BucketSpan pb_span;
typedef Io__Prometheus__Client__Exemplar pb_exemplar;
typedef Io__Prometheus__Client__Histogram pb_histogram;
typedef Io__Prometheus__Client__LabelPair pb_label;
typedef Io__Prometheus__Client__Metric pb_metric;
typedef Io__Prometheus__Client__Summary pb_summary;
typedef Io__Prometheus__Client__Timestamp pb_timestamp;

/* What the mapping functions share; each returns -1 with *err set. */
struct ctx {
	const struct decode_limits *lim;
	struct arena *a;
	struct err *err;
};

int proto_err_memory(const struct arena *a, struct err *err)
{
	return err_set(err, ERR_TOO_LARGE, 0,
		       "the push needs more than %zu bytes of memory once decoded, "
		       "which --limits.body-size does not allow",
		       a->limit);
}

int proto_err_limit(const char *what, uint64_t n, const char *flag, uint64_t max, struct err *err)
{
	return err_set(err, ERR_TOO_LARGE, 0, "%s %llu, more than --limits.%s=%llu", what,
		       (unsigned long long)n, flag, (unsigned long long)max);
}

int proto_err_invalid(struct err *err)
{
	return err_set(err, ERR_INVALID, 0, "proto: cannot parse invalid wire-format data");
}

/* Room for n zeroed elements, NULL for none. */
static int take(struct ctx *c, size_t n, size_t size, void **ret_p)
{
	void *p = NULL;
	size_t total;

	if (n > 0) {
		if (__builtin_mul_overflow(n, size, &total))
			return proto_err_memory(c->a, c->err);
		p = arena_zalloc(c->a, total);
		if (!p)
			return proto_err_memory(c->a, c->err);
	}
	*ret_p = p;
	return 0;
}

/* take() for n elements of what *ret_p points to. */
#define TAKE_ARRAY(c, n, ret_p)                                      \
	({                                                           \
		void *taken_ = NULL;                                 \
		int r_ = take((c), (n), sizeof(**(ret_p)), &taken_); \
		*(ret_p) = taken_;                                   \
		r_;                                                  \
	})

/*
 * An empty array is NULL. gcc 12's -fanalyzer loses the count on the way through the arena, and
 * takes a loop over such an array to follow the pointer.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-null-dereference"
#endif

/* TAKE_ARRAY() with the elements copied from `from`. */
#define TAKE_COPY(c, from, n, ret_p)                                           \
	({                                                                     \
		int copied_ = TAKE_ARRAY((c), (n), (ret_p));                   \
		if (copied_ == 0 && (n) > 0)                                   \
			copy_bytes(*(ret_p), (from), (n) * sizeof(**(ret_p))); \
		copied_;                                                       \
	})

static int check_labels(struct ctx *c, pb_label **from, size_t n, size_t *ret_bytes)
{
	const struct decode_limits *lim = c->lim;
	size_t bytes = 0;

	if (n > lim->max_labels)
		return proto_err_limit("the number of labels is", n, "labels-per-series",
				       lim->max_labels, c->err);
	for (size_t i = 0; i < n; i++) {
		size_t name = from[i]->name.len, value = from[i]->value.len;

		if (name > lim->max_label_name)
			return proto_err_limit("the length of a label name in bytes is", name,
					       "label-name-length", lim->max_label_name, c->err);
		if (value > lim->max_label_value)
			return proto_err_limit("the length of a label value in bytes is", value,
					       "label-value-length", lim->max_label_value, c->err);
		bytes += name + value;
	}
	*ret_bytes = bytes;
	return 0;
}

static struct str put_bytes(char **at, ProtobufCBinaryData from)
{
	struct str s = { *at, from.len };

	copy_bytes(*at, from.data, from.len);
	*at += from.len;
	return s;
}

static int map_labels(struct ctx *c, pb_label **from, size_t n, const struct label **ret_l,
		      uint32_t *ret_n)
{
	struct label *l;
	size_t bytes = 0;

	if (n == 0)
		return 0;
	if (check_labels(c, from, n, &bytes) < 0)
		return -1;
	/* One allocation for labels and bytes, since the arena rounds each allocation up. */
	l = arena_alloc(c->a, n * sizeof(*l) + bytes);
	if (!l)
		return proto_err_memory(c->a, c->err);

	char *at = (char *)(l + n);

	for (size_t i = 0; i < n; i++) {
		l[i].name = put_bytes(&at, from[i]->name);
		l[i].value = put_bytes(&at, from[i]->value);
	}
	*ret_l = l;
	*ret_n = (uint32_t)n;
	return 0;
}

static struct timestamp map_timestamp(const pb_timestamp *from)
{
	struct timestamp ts = { 0 };

	if (from)
		ts = (struct timestamp){ true, from->seconds, from->nanos };
	return ts;
}

static int map_exemplar(struct ctx *c, const pb_exemplar *from, struct exemplar *to)
{
	to->value = from->value;
	to->ts = map_timestamp(from->timestamp);
	return map_labels(c, from->label, from->n_label, &to->labels, &to->n_labels);
}

static int map_exemplar_if(struct ctx *c, const pb_exemplar *from, struct exemplar **ret_e)
{
	if (!from)
		return 0;
	if (TAKE_ARRAY(c, 1, ret_e) < 0)
		return -1;
	return map_exemplar(c, from, *ret_e);
}

static int map_summary(struct ctx *c, const pb_summary *from, struct metric *m)
{
	struct summary *s;

	if (TAKE_ARRAY(c, 1, &s) < 0 || TAKE_ARRAY(c, from->n_quantile, &s->quantiles) < 0)
		return -1;
	s->count = from->sample_count;
	s->sum = from->sample_sum;
	s->created = map_timestamp(from->created_timestamp);
	s->n_quantiles = (uint32_t)from->n_quantile;
	for (uint32_t i = 0; i < s->n_quantiles; i++) {
		s->quantiles[i].quantile = from->quantile[i]->quantile;
		s->quantiles[i].value = from->quantile[i]->value;
	}
	m->summary = s;
	m->has |= HAS_SUMMARY;
	return 0;
}

static int map_buckets(struct ctx *c, const pb_histogram *from, struct histogram *h)
{
	if (TAKE_ARRAY(c, from->n_bucket, &h->buckets) < 0)
		return -1;
	h->n_buckets = (uint32_t)from->n_bucket;
	for (uint32_t i = 0; i < h->n_buckets; i++) {
		const pb_bucket *b = from->bucket[i];

		h->buckets[i].upper_bound = b->upper_bound;
		h->buckets[i].count = b->cumulative_count;
		h->buckets[i].count_float = b->cumulative_count_float;
		if (map_exemplar_if(c, b->exemplar, &h->buckets[i].exemplar) < 0)
			return -1;
	}
	return 0;
}

static int map_spans(struct ctx *c, pb_span **from, size_t n, struct span **ret_s, uint32_t *ret_n)
{
	struct span *s;

	if (TAKE_ARRAY(c, n, &s) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		s[i] = (struct span){ from[i]->offset, from[i]->length };
	*ret_s = s;
	*ret_n = (uint32_t)n;
	return 0;
}

static int map_native_buckets(struct ctx *c, const pb_histogram *from, struct histogram *h)
{
	h->n_neg_deltas = (uint32_t)from->n_negative_delta;
	h->n_neg_counts = (uint32_t)from->n_negative_count;
	h->n_pos_deltas = (uint32_t)from->n_positive_delta;
	h->n_pos_counts = (uint32_t)from->n_positive_count;
	if (map_spans(c, from->negative_span, from->n_negative_span, &h->neg_spans,
		      &h->n_neg_spans) < 0 ||
	    map_spans(c, from->positive_span, from->n_positive_span, &h->pos_spans,
		      &h->n_pos_spans) < 0 ||
	    TAKE_COPY(c, from->negative_delta, h->n_neg_deltas, &h->neg_deltas) < 0 ||
	    TAKE_COPY(c, from->negative_count, h->n_neg_counts, &h->neg_counts) < 0 ||
	    TAKE_COPY(c, from->positive_delta, h->n_pos_deltas, &h->pos_deltas) < 0 ||
	    TAKE_COPY(c, from->positive_count, h->n_pos_counts, &h->pos_counts) < 0)
		return -1;
	return 0;
}

static int map_native(struct ctx *c, const pb_histogram *from, struct histogram *h)
{
	h->has_schema = from->has_schema;
	h->has_zero_threshold = from->has_zero_threshold;
	h->has_zero_count = from->has_zero_count;
	h->has_zero_count_float = from->has_zero_count_float;
	h->schema = from->schema;
	h->zero_threshold = from->zero_threshold;
	h->zero_count = from->zero_count;
	h->zero_count_float = from->zero_count_float;
	if (map_native_buckets(c, from, h) < 0 ||
	    TAKE_ARRAY(c, from->n_exemplars, &h->exemplars) < 0)
		return -1;
	h->n_exemplars = (uint32_t)from->n_exemplars;
	for (uint32_t i = 0; i < h->n_exemplars; i++)
		if (map_exemplar(c, from->exemplars[i], &h->exemplars[i]) < 0)
			return -1;
	return 0;
}

static int map_histogram(struct ctx *c, const pb_histogram *from, struct metric *m)
{
	struct histogram *h;

	if (TAKE_ARRAY(c, 1, &h) < 0)
		return -1;
	h->count = from->sample_count;
	h->count_float = from->sample_count_float;
	h->sum = from->sample_sum;
	h->created = map_timestamp(from->created_timestamp);
	m->histogram = h;
	m->has |= HAS_HISTOGRAM;
	return map_buckets(c, from, h) < 0 ? -1 : map_native(c, from, h);
}

static int map_counter(struct ctx *c, const Io__Prometheus__Client__Counter *from, struct metric *m)
{
	m->counter = from->value;
	m->counter_created = map_timestamp(from->created_timestamp);
	m->has |= HAS_COUNTER;
	return map_exemplar_if(c, from->exemplar, &m->exemplar);
}

static int map_metric(struct ctx *c, const pb_metric *from, struct metric *m)
{
	if (map_labels(c, from->label, from->n_label, &m->labels, &m->n_labels) < 0)
		return -1;
	m->has_timestamp = from->has_timestamp_ms;
	if (from->gauge) {
		m->gauge = from->gauge->value;
		m->has |= HAS_GAUGE;
	}
	if (from->untyped) {
		m->untyped = from->untyped->value;
		m->has |= HAS_UNTYPED;
	}
	if (from->counter && map_counter(c, from->counter, m) < 0)
		return -1;
	if (from->summary && map_summary(c, from->summary, m) < 0)
		return -1;
	if (from->histogram && map_histogram(c, from->histogram, m) < 0)
		return -1;
	return 0;
}

static void *scratch_alloc(void *arena, size_t size)
{
	return arena_alloc(arena, size ? size : 1);
}

static void scratch_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

/* wire_check() has passed `bytes` with this verdict. */
static int unpack(struct ctx *c, struct arena *scratch, struct str bytes, enum wire_verdict verdict,
		  pb_metric **ret_pb)
{
	const ProtobufCMessageDescriptor *desc = &io__prometheus__client__metric__descriptor;
	ProtobufCAllocator alloc = { scratch_alloc, scratch_free, scratch };

	if (verdict == WIRE_FOREIGN) {
		char *known = arena_alloc(scratch, bytes.n);
		size_t n;

		if (!known || !wire_copy_known(bytes, desc, scratch, known, &n))
			return proto_err_memory(c->a, c->err);
		bytes = (struct str){ known, n };
	}
	*ret_pb = io__prometheus__client__metric__unpack(&alloc, bytes.n, (const uint8_t *)bytes.p);
	/* Checked bytes can fail only for lack of memory. */
	return *ret_pb ? 0 : proto_err_memory(c->a, c->err);
}

static int decode(struct ctx *c, struct arena *scratch, struct str bytes, struct metric *m)
{
	enum wire_verdict verdict;
	pb_metric *pb;

	/* protobuf-c's own limit. It also keeps every count below within 32 bits. */
	if (bytes.n > INT32_MAX)
		return proto_err_memory(c->a, c->err);
	verdict = wire_check(bytes, &io__prometheus__client__metric__descriptor);
	if (verdict == WIRE_BAD)
		return proto_err_invalid(c->err);
	return unpack(c, scratch, bytes, verdict, &pb) < 0 ? -1 : map_metric(c, pb, m);
}

int proto_metric_decode(struct str bytes, const struct decode_limits *lim, struct arena *a,
			struct arena *scratch, struct metric **ret_m, struct err *err)
{
	struct ctx c = { lim, a, err };
	struct metric *m;

	if (TAKE_ARRAY(&c, 1, &m) < 0)
		return -1;
	/* Both arenas together stay within what the request may use. */
	scratch->limit = a->limit - a->used;
	int r = decode(&c, scratch, bytes, m);

	arena_reset(scratch);
	if (r == 0)
		*ret_m = m;
	return r;
}
