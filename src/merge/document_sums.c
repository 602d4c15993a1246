/* Sums and native histograms in documents. */
#include <float.h>
#include <stdlib.h>

#include "base/mem.h"
#include "merge/document_numbers.h"
#include "metrics/native_bounds.h"

static void put_schema(struct strbuf *b, int32_t schema)
{
	put(b, (uint64_t)(schema - NATIVE_SCHEMA_MIN));
}

static int32_t take_schema(struct reader *r)
{
	uint64_t v = take(r);

	r->bad |= v > NATIVE_SCHEMA_MAX - NATIVE_SCHEMA_MIN;
	return r->bad ? 0 : (int32_t)v + NATIVE_SCHEMA_MIN;
}

/* Takes a threshold or a count: a number that can be compared and added. */
static double take_finite(struct reader *r)
{
	double v = take_double(r);

	r->bad |= !(v >= 0 && v <= DBL_MAX);
	return r->bad ? 0 : v;
}

static int32_t take_index(struct reader *r)
{
	int32_t index = take_signed(r);

	r->bad |= index < -NATIVE_MAX_INDEX || index > NATIVE_MAX_INDEX;
	return r->bad ? 0 : index;
}

/* ---- layers ---- */

static void put_layer(struct strbuf *b, const struct native_layer *l)
{
	put_schema(b, l->schema);
	put_double(b, l->threshold);
	put_exact(b, &l->zero);
	put(b, l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		put(b, l->list[i].negative);
		put_signed(b, l->list[i].index);
		put_exact(b, &l->list[i].count);
	}
}

static void take_layer(struct reader *r, struct native_sums *s)
{
	int32_t schema = take_schema(r);
	double threshold = take_finite(r);
	struct native_layer *l;
	uint32_t n, hint = 0;

	if (r->bad)
		return;
	l = native_sums_layer(s, schema, threshold);
	take_exact(r, &l->zero);
	n = take_count(r);
	for (uint32_t i = 0; i < n && !r->bad; i++) {
		bool negative = take(r);
		int32_t index = take_index(r);

		/* In order, and none of them twice. */
		if (native_layer_count(l, &hint, negative, index) && l->n != i + 1)
			r->bad = true;
		else
			take_exact(r, &l->list[hint].count);
	}
}

static void put_layers(struct strbuf *b, const struct native_sums *s)
{
	put(b, s->n);
	for (uint32_t i = 0; i < s->n; i++)
		put_layer(b, &s->layers[i]);
}

static void take_layers(struct reader *r, struct native_sums *s)
{
	uint32_t n = take_count(r);

	for (uint32_t i = 0; i < n && !r->bad; i++) {
		take_layer(r, s);
		r->bad |= s->n != i + 1;
	}
}

/* ---- sums ---- */

void put_sums(struct strbuf *b, const struct merged_family *f, const struct sums *s)
{
	uint32_t n = 0;

	put_exact(b, &s->value.sum);
	put_signed(b, s->value.n_nan);
	put_signed(b, s->value.n_up);
	put_signed(b, s->value.n_down);
	if (f->type != METRIC_HISTOGRAM && f->type != METRIC_SUMMARY)
		return;
	put_exact(b, &s->count);
	if (f->type == METRIC_HISTOGRAM)
		put_layers(b, &s->native);
	for (uint32_t i = 0; i < s->n_layouts; i++)
		n += s->layouts[i] != NULL;
	put(b, n);
	for (uint32_t i = 0; i < s->n_layouts; i++) {
		if (!s->layouts[i])
			continue;
		put(b, i);
		for (uint32_t j = 0; j < s->layouts[i]->n; j++)
			put_exact(b, &s->layouts[i]->counts[j]);
	}
}

void take_sums(struct reader *r, const struct merged_family *f, struct sums *s)
{
	uint64_t next = 0;
	uint32_t n;

	take_exact(r, &s->value.sum);
	s->value.n_nan = take_signed(r);
	s->value.n_up = take_signed(r);
	s->value.n_down = take_signed(r);
	if (f->type != METRIC_HISTOGRAM && f->type != METRIC_SUMMARY)
		return;
	take_exact(r, &s->count);
	if (f->type == METRIC_HISTOGRAM)
		take_layers(r, &s->native);
	n = take_count(r);
	for (uint32_t i = 0; i < n && !r->bad; i++) {
		uint64_t layout = take(r);

		/* In order, and none of them twice. */
		if (layout < next || layout >= f->n_layouts) {
			r->bad = true;
			return;
		}
		next = layout + 1;
		struct exact *counts = sums_layout(f, s, (uint32_t)layout);

		for (uint32_t j = 0; j < f->layouts[layout].n && !r->bad; j++)
			take_exact(r, &counts[j]);
	}
}

/* ---- shapes, native parts ---- */

void put_shape(struct strbuf *b, const struct native_shape *s)
{
	put(b, (uint64_t)s->known | (uint64_t)s->hidden << 1);
	if (!s->known)
		return;
	put_schema(b, s->schema);
	put_double(b, s->threshold);
}

struct native_shape take_shape(struct reader *r)
{
	uint64_t flags = take(r);
	struct native_shape s = { .known = flags & 1, .hidden = flags >> 1 & 1 };

	if (s.known) {
		s.schema = take_schema(r);
		s.threshold = take_finite(r);
	}
	return s;
}

void put_native(struct strbuf *b, const struct native *v)
{
	put(b, v != NULL);
	if (!v)
		return;
	put_schema(b, v->schema);
	put_double(b, v->threshold);
	put_double(b, v->zero);
	put(b, v->n);
	for (uint32_t i = 0; i < v->n; i++) {
		put(b, v->counts[i].negative);
		put_signed(b, v->counts[i].index);
		put_double(b, v->counts[i].count);
	}
}

static bool is_behind(const struct native_count *a, const struct native_count *b)
{
	return a->negative != b->negative ? b->negative : b->index > a->index;
}

struct native *take_native(struct reader *r)
{
	struct native head = { 0 }, *v;

	if (!take(r))
		return NULL;
	head.schema = take_schema(r);
	head.threshold = take_finite(r);
	head.zero = take_finite(r);
	head.n = take_count(r);
	v = mem_zalloc(native_size(head.n));
	*v = head;
	for (uint32_t i = 0; i < v->n && !r->bad; i++) {
		bool negative = take(r);
		int32_t index = take_index(r);

		v->counts[i] = (struct native_count){ index, negative, take_finite(r) };
		r->bad |= i > 0 && !is_behind(&v->counts[i - 1], &v->counts[i]);
	}
	if (!r->bad)
		return v;
	free(v);
	return NULL;
}
