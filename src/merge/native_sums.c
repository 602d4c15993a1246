#include "merge/native_sums.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "metrics/native_bounds.h"

static void layer_done(struct native_layer *l)
{
	exact_done(&l->zero);
	for (uint32_t i = 0; i < l->n; i++)
		exact_done(&l->list[i].count);
	free(l->list);
}

void native_sums_done(struct native_sums *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		layer_done(&s->layers[i]);
	free(s->layers);
	*s = (struct native_sums){ 0 };
}

struct native_layer *native_sums_layer(struct native_sums *s, int32_t schema, double threshold)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->layers[i].schema == schema && s->layers[i].threshold == threshold)
			return &s->layers[i];
	s->layers = mem_realloc(s->layers, (s->n + 1) * sizeof(*s->layers));
	s->layers[s->n] = (struct native_layer){ .schema = schema, .threshold = threshold };
	return &s->layers[s->n++];
}

struct exact *native_layer_count(struct native_layer *l, uint32_t *hint, bool negative,
				 int32_t index)
{
	uint32_t at = *hint;

	while (at < l->n &&
	       (l->list[at].negative != negative ? negative : l->list[at].index < index))
		at++;
	*hint = at;
	if (at < l->n && l->list[at].negative == negative && l->list[at].index == index)
		return &l->list[at].count;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 8;
		l->list = mem_realloc(l->list, l->cap * sizeof(*l->list));
	}
	move_bytes(&l->list[at + 1], &l->list[at], (l->n - at) * sizeof(*l->list));
	l->list[at] = (struct native_sum){ .index = index, .negative = negative };
	l->n++;
	return &l->list[at].count;
}

/*
 * Drops counts of 0, and the layer if it is empty: it would be kept for ever if no process pushes
 * its resolution any more.
 */
static void drop_empty(struct native_sums *s, struct native_layer *l)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < l->n; i++)
		if (!exact_is_zero(&l->list[i].count))
			l->list[kept++] = l->list[i];
	l->n = kept;
	if (l->n > 0 || !exact_is_zero(&l->zero))
		return;
	layer_done(l);
	*l = s->layers[--s->n];
	if (s->n == 0)
		native_sums_done(s);
}

void native_sums_add(struct native_sums *s, const struct native *v, int times)
{
	struct native_layer *l = native_sums_layer(s, v->schema, v->threshold);
	uint32_t hint = 0;

	exact_add_times(&l->zero, v->zero, times);
	for (uint32_t i = 0; i < v->n; i++)
		exact_add_times(
			native_layer_count(l, &hint, v->counts[i].negative, v->counts[i].index),
			v->counts[i].count, times);
	/* Also after an addition, since a count below 0 may have become 0. */
	drop_empty(s, l);
}

static void add_exact(struct exact *to, const struct exact *v, int times)
{
	if (times > 0)
		exact_add_exact(to, v);
	else
		exact_sub_exact(to, v);
}

/* Adds `from` to a layer whose schema is not higher and whose zero bucket is not narrower. */
static void add_layer(struct native_layer *to, const struct native_layer *from, int times)
{
	bool same = to->schema == from->schema && to->threshold == from->threshold;
	uint32_t hint = 0;

	add_exact(&to->zero, &from->zero, times);
	for (uint32_t i = 0; i < from->n; i++) {
		const struct native_sum *c = &from->list[i];
		int32_t index = native_index_at(c->index, from->schema, to->schema);
		bool is_zero = !same && native_upper_bound(to->schema, index) <= to->threshold;

		add_exact(is_zero ? &to->zero : native_layer_count(to, &hint, c->negative, index),
			  &c->count, times);
	}
}

void native_sums_add_sums(struct native_sums *to, const struct native_sums *from, int times)
{
	for (uint32_t i = 0; i < from->n; i++) {
		struct native_layer *l = native_sums_layer(to, from->layers[i].schema,
							   from->layers[i].threshold);

		add_layer(l, &from->layers[i], times);
		drop_empty(to, l);
	}
}

struct native_shape native_shape_with(struct native_shape s, const struct native *v)
{
	if (!v) {
		s.hidden = true;
		return s;
	}
	if (!s.known || v->schema < s.schema)
		s.schema = v->schema;
	if (!s.known || v->threshold > s.threshold)
		s.threshold = v->threshold;
	s.known = true;
	return s;
}

static struct native_shape shape_of(const struct native_sums *s, struct native_shape shape)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct native layer = { .schema = s->layers[i].schema,
					      .threshold = s->layers[i].threshold };

		shape = native_shape_with(shape, &layer);
	}
	return shape;
}

/*
 * All layers as one, with schema and threshold of the shape. A bucket that the threshold cuts stays
 * a bucket.
 */
static struct native_sums at_shape(const struct native_sums *s, const struct native_shape *shape)
{
	struct native_sums one = { 0 };
	struct native_layer *l = native_sums_layer(&one, shape->schema, shape->threshold);

	for (uint32_t i = 0; i < s->n; i++)
		add_layer(l, &s->layers[i], 1);
	return one;
}

void native_sums_squash(struct native_sums *s)
{
	const struct native_shape shape = shape_of(s, (struct native_shape){ 0 });
	struct native_sums one = at_shape(s, &shape);

	native_sums_done(s);
	*s = one;
}

/*
 * The threshold, moved to the end of the bucket that it cuts, if any. All buckets have the same
 * bounds for both signs, so that end cuts no other bucket.
 */
static double grown(const struct native_layer *l, double threshold)
{
	for (uint32_t i = 0; i < l->n; i++) {
		double lower = native_upper_bound(l->schema, (int64_t)l->list[i].index - 1);
		double upper = native_upper_bound(l->schema, l->list[i].index);

		if (lower < threshold && upper > threshold && !exact_is_zero(&l->list[i].count))
			return upper;
	}
	return threshold;
}

/* A count below 0 is shown as 0; count_of() in build.c says why there can be one. */
static double count_of(const struct exact *e)
{
	double v = exact_value(e);

	return v > 0 ? v : 0;
}

struct native *native_sums_total(const struct native_sums *s, struct native_shape *shape)
{
	struct native_sums one;
	struct native_layer *l;
	struct native *v;

	*shape = shape_of(s, *shape);
	one = at_shape(s, shape);
	l = &one.layers[0];
	v = mem_zalloc(native_size(l->n));
	shape->threshold = grown(l, shape->threshold);
	for (uint32_t i = 0; i < l->n; i++) {
		struct native_sum *c = &l->list[i];
		double count = count_of(&c->count);

		if (native_upper_bound(l->schema, c->index) <= shape->threshold)
			exact_add_exact(&l->zero, &c->count);
		else if (count > 0)
			v->counts[v->n++] = (struct native_count){ c->index, c->negative, count };
	}
	v->schema = shape->schema;
	v->threshold = shape->threshold;
	v->zero = count_of(&l->zero);
	native_sums_done(&one);
	return v;
}
