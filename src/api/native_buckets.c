#include "api/native_buckets.h"

#include <stdint.h>

#include "base/mem.h"
#include "metrics/native_bounds.h"

struct side {
	const struct span *spans;
	const int64_t *deltas;
	const double *counts;
	uint32_t n_spans, n_deltas, n_counts;
};

bool native_buckets_shown(const struct histogram *h)
{
	return h->n_neg_spans > 0 || h->n_pos_spans > 0;
}

static bool is_float(const struct histogram *h)
{
	return h->count_float > 0 || h->zero_count_float > 0;
}

struct indexed {
	int64_t index;
	uint64_t count;
	double count_float;
};

/* The buckets of one side in ascending order of index, as far as spans and counts agree. */
static struct indexed *indexed_buckets(const struct side *s, bool floats, uint32_t *ret_n)
{
	uint32_t max = floats ? s->n_counts : s->n_deltas, n = 0;
	struct indexed *list = mem_alloc(max * sizeof(*list));
	int64_t index = 0;
	uint64_t running = 0;

	for (uint32_t i = 0; i < s->n_spans; i++) {
		index += s->spans[i].offset;
		for (uint32_t j = 0; j < s->spans[i].length && n < max; j++, index++) {
			list[n] = (struct indexed){ .index = index };
			if (floats)
				list[n].count_float = s->counts[n];
			else
				list[n].count = running += (uint64_t)s->deltas[n];
			n++;
		}
	}
	*ret_n = n;
	return list;
}

static void emit_side(const struct histogram *h, const struct side *s, bool negative,
		      void (*fn)(void *arg, const struct native_bucket *b), void *arg)
{
	uint32_t n;
	CLEANUP(freep) struct indexed *list = indexed_buckets(s, is_float(h), &n);

	for (uint32_t i = 0; i < n; i++) {
		const struct indexed *x = &list[negative ? n - 1 - i : i];
		double upper = native_upper_bound(h->schema, x->index);
		double lower = native_upper_bound(h->schema, x->index - 1);
		struct native_bucket b = {
			.boundaries = negative,
			.lower = negative ? -upper : lower,
			.upper = negative ? -lower : upper,
			.is_float = is_float(h),
			.count = x->count,
			.count_float = x->count_float,
		};

		if (b.is_float ? b.count_float != 0 : b.count != 0)
			fn(arg, &b);
	}
}

void native_buckets_each(const struct histogram *h,
			 void (*fn)(void *arg, const struct native_bucket *b), void *arg)
{
	const struct side negative = { h->neg_spans,   h->neg_deltas,   h->neg_counts,
				       h->n_neg_spans, h->n_neg_deltas, h->n_neg_counts };
	const struct side positive = { h->pos_spans,   h->pos_deltas,   h->pos_counts,
				       h->n_pos_spans, h->n_pos_deltas, h->n_pos_counts };
	const struct native_bucket zero = {
		.boundaries = 3,
		.lower = -h->zero_threshold,
		.upper = h->zero_threshold,
		.is_float = is_float(h),
		.count = h->zero_count,
		.count_float = h->zero_count_float,
	};

	if (h->schema < NATIVE_SCHEMA_MIN || h->schema > NATIVE_SCHEMA_MAX)
		return;
	emit_side(h, &negative, true, fn, arg);
	if (zero.is_float ? zero.count_float != 0 : zero.count != 0)
		fn(arg, &zero);
	emit_side(h, &positive, false, fn, arg);
}
