#include "format/protobuf/decode.h"

#include <stdlib.h>

#include "base/array.h"
#include "format/family_add.h"
#include "format/protobuf/metric.h"
#include "format/protobuf/simple.h"
#include "format/protobuf/wire.h"

/* Numbers of MetricFamily's fields. */
enum { FAMILY_NAME = 1, FAMILY_HELP = 2, FAMILY_TYPE = 3, FAMILY_METRIC = 4, FAMILY_UNIT = 5 };

struct decoder {
	const struct decode_limits *lim;
	struct arena *a;
	struct arena scratch; /* of one metric */
	struct err *err;
	struct family *first, **next;
	uint32_t n_families;
	uint64_t n_metrics, n_series;
	struct shared_labels *last_shared;
};

static void scratch_donep(struct decoder *d)
{
	arena_done(&d->scratch);
}

static int err_series(const struct decoder *d, uint64_t n)
{
	return proto_err_limit("the number of samples reaches", n, "series-per-push",
			       d->lim->max_series, d->err);
}

/* How many lines the metric has in the text format. */
static uint64_t n_lines(const struct metric *m, int32_t type)
{
	if (type == METRIC_SUMMARY && m->summary)
		return (uint64_t)m->summary->n_quantiles + 2;
	if ((type == METRIC_HISTOGRAM || type == METRIC_GAUGE_HISTOGRAM) && m->histogram)
		return (uint64_t)m->histogram->n_buckets + 3;
	return 1;
}

static int add_metric(struct decoder *d, struct family *f, struct str bytes)
{
	struct metric *m;

	/*
	 * Checked before any memory is taken, since an empty metric has only two bytes in the body.
	 */
	if (++d->n_metrics > d->lim->max_series)
		return err_series(d, d->n_metrics);
	m = proto_simple_decode(bytes, d->lim, d->a, &d->last_shared);
	if (!m && proto_metric_decode(bytes, d->lim, d->a, &d->scratch, &m, d->err) < 0)
		return -1;
	family_add(f, m);
	return 0;
}

/*
 * If a field comes twice, the last one counts. A field of another wire type is ignored like an
 * unknown one.
 */
static int take_field(struct decoder *d, struct family *f, const struct wire_field *in)
{
	if (in->type == WIRE_VARINT && in->number == FAMILY_TYPE)
		f->type = (int32_t)(uint32_t)in->varint;
	if (in->type != WIRE_BYTES)
		return 0;
	switch (in->number) {
	case FAMILY_NAME:
		f->name = in->value;
		return 0;
	case FAMILY_HELP:
		f->help = in->value;
		f->has_help = true;
		return 0;
	case FAMILY_UNIT:
		f->unit = in->value;
		return 0;
	case FAMILY_METRIC:
		return add_metric(d, f, in->value);
	default:
		return 0;
	}
}

static int add_family(struct decoder *d, const struct family *from)
{
	struct family *f;

	/* An empty message is an empty push, not a family without a name. */
	if (from->name.n == 0 && !from->metrics)
		return 0;
	if (from->name.n > d->lim->max_label_name)
		return proto_err_limit("the length of a metric name in bytes is", from->name.n,
				       "label-name-length", d->lim->max_label_name, d->err);
	f = arena_alloc(d->a, sizeof(*f));
	if (!f)
		return proto_err_memory(d->a, d->err);
	*f = *from;
	*d->next = f;
	d->next = &f->next;
	d->n_families++;
	return 0;
}

static int read_family(struct decoder *d, struct str bytes)
{
	struct family f = { .type = METRIC_COUNTER };

	while (bytes.n > 0) {
		struct wire_field in;

		if (!wire_next(&bytes, &in))
			return proto_err_invalid(d->err);
		if (take_field(d, &f, &in) < 0)
			return -1;
	}
	/* Counted at the end, since the type may come after the metrics. */
	for (const struct metric *m = f.metrics; m; m = m->next)
		d->n_series += n_lines(m, f.type);
	if (d->n_series > d->lim->max_series)
		return err_series(d, d->n_series);
	return add_family(d, &f);
}

static int read_length(struct decoder *d, struct str *body, uint64_t *ret_len)
{
	switch (wire_varint(body, ret_len)) {
	case WIRE_OK:
		break;
	case WIRE_OVERFLOW:
		return err_set(d->err, ERR_INVALID, 0, "proto: variable length integer overflow");
	default:
		return err_set(d->err, ERR_INVALID, 0, "unexpected EOF");
	}
	if (*ret_len > body->n)
		return err_set(d->err, ERR_INVALID, 0, "unexpected EOF");
	return 0;
}

struct named {
	struct family *f;
	uint32_t at; /* its place in the body */
};

static int cmp_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int r = str_cmp(x->f->name, y->f->name);

	return r ? r : (x->at > y->at) - (x->at < y->at);
}

/*
 * Removes families that a later one of the same name replaces. Sorting finds them in reasonable
 * time whatever the names are; a hash table would not if they were chosen to collide.
 */
static int drop_replaced(struct decoder *d)
{
	uint32_t n = d->n_families, i = 0;
	struct family **in_order, **next = &d->first;
	struct named *sorted;

	if (n < 2)
		return 0;
	sorted = arena_alloc(d->a, n * sizeof(*sorted));
	in_order = arena_alloc(d->a, n * sizeof(*in_order));
	if (!sorted || !in_order)
		return proto_err_memory(d->a, d->err);
	for (struct family *f = d->first; f; f = f->next, i++) {
		in_order[i] = f;
		sorted[i] = (struct named){ f, i };
	}
	array_sort(sorted, n, cmp_named);
	for (i = 0; i + 1 < n; i++)
		if (str_eq(sorted[i].f->name, sorted[i + 1].f->name))
			in_order[sorted[i].at] = NULL;
	for (i = 0; i < n; i++) {
		if (!in_order[i])
			continue;
		*next = in_order[i];
		next = &in_order[i]->next;
	}
	*next = NULL;
	return 0;
}

int proto_decode(struct str body, const struct decode_limits *lim, struct arena *a,
		 struct family **ret_families, struct err *err)
{
	CLEANUP(scratch_donep) struct decoder d = { .lim = lim, .a = a, .err = err };

	d.next = &d.first;
	arena_init(&d.scratch, 0);
	while (body.n > 0) {
		uint64_t len;

		if (read_length(&d, &body, &len) < 0)
			return -1;
		if (read_family(&d, (struct str){ body.p, len }) < 0)
			return -1;
		body.p += len;
		body.n -= len;
	}
	if (drop_replaced(&d) < 0)
		return -1;
	*ret_families = d.first;
	return 0;
}
