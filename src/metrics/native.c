#include "metrics/native.h"

#include <math.h>

/* The resolutions that every reader of native histograms knows. */
enum { SCHEMA_MIN = -4, SCHEMA_MAX = 8 };

static bool has_native(const struct histogram *h)
{
	return h->has_schema || h->has_zero_threshold || h->has_zero_count ||
	       h->has_zero_count_float || h->n_neg_spans || h->n_pos_spans || h->n_neg_deltas ||
	       h->n_pos_deltas || h->n_neg_counts || h->n_pos_counts;
}

/* Spans go upwards and stand for just the buckets that there are. */
static bool spans_fit(const struct span *s, uint32_t n, uint32_t n_buckets)
{
	uint64_t length = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (i > 0 && s[i].offset < 0)
			return false;
		length += s[i].length;
	}
	return length == n_buckets;
}

static bool add_deltas(const int64_t *deltas, uint32_t n, uint64_t *total)
{
	int64_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		if (__builtin_add_overflow(count, deltas[i], &count) || count < 0 ||
		    __builtin_add_overflow(*total, (uint64_t)count, total))
			return false;
	return true;
}

static bool integers_fit(const struct histogram *h)
{
	uint64_t total = h->zero_count;

	if (!spans_fit(h->neg_spans, h->n_neg_spans, h->n_neg_deltas) ||
	    !spans_fit(h->pos_spans, h->n_pos_spans, h->n_pos_deltas) ||
	    !add_deltas(h->neg_deltas, h->n_neg_deltas, &total) ||
	    !add_deltas(h->pos_deltas, h->n_pos_deltas, &total))
		return false;
	/* What was observed as NaN is in no bucket. */
	return isnan(h->sum) ? total <= h->count : total == h->count;
}

static bool add_counts(const double *counts, uint32_t n, double *total)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!(counts[i] >= 0))
			return false;
		*total += counts[i];
	}
	return true;
}

static bool floats_fit(const struct histogram *h)
{
	double total = 0;

	return spans_fit(h->neg_spans, h->n_neg_spans, h->n_neg_counts) &&
	       spans_fit(h->pos_spans, h->n_pos_spans, h->n_pos_counts) &&
	       add_counts(h->neg_counts, h->n_neg_counts, &total) &&
	       add_counts(h->pos_counts, h->n_pos_counts, &total) && h->zero_count_float >= 0 &&
	       total <= h->count_float;
}

bool native_is_consistent(const struct histogram *h)
{
	if (!has_native(h))
		return true;
	if (h->schema < SCHEMA_MIN || h->schema > SCHEMA_MAX || !(h->zero_threshold >= 0))
		return false;
	/* Readers take either kind of count to say which all of them are. */
	return h->count_float > 0 || h->zero_count_float > 0 ? floats_fit(h) : integers_fit(h);
}

void native_drop(struct histogram *h)
{
	const struct histogram kept = *h;

	*h = (struct histogram){
		.count = kept.count,
		.count_float = kept.count_float,
		.sum = kept.sum,
		.buckets = kept.buckets,
		.n_buckets = kept.n_buckets,
		.created = kept.created,
		.exemplars = kept.exemplars,
		.n_exemplars = kept.n_exemplars,
	};
}
