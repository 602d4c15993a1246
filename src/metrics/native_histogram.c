#include "metrics/native_histogram.h"

#include <math.h>

#include "metrics/native_bounds.h"

bool native_histogram_is(const struct histogram *h)
{
	return h->has_schema || h->has_zero_threshold || h->has_zero_count ||
	       h->has_zero_count_float || h->n_neg_spans || h->n_pos_spans || h->n_neg_deltas ||
	       h->n_pos_deltas || h->n_neg_counts || h->n_pos_counts;
}

static const char NEGATIVE[] = "a bucket has a negative count";

/* Spans go upwards and stand for just the buckets that there are. */
static const char *check_spans(const struct span *s, uint32_t n, uint32_t n_buckets)
{
	uint64_t length = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (i > 0 && s[i].offset < 0)
			return "a span after the first has a negative offset";
		length += s[i].length;
	}
	return length == n_buckets ? NULL : "its spans are not as long as there are buckets";
}

static const char *add_deltas(const int64_t *deltas, uint32_t n, uint64_t *total)
{
	int64_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (__builtin_add_overflow(count, deltas[i], &count) || count < 0)
			return NEGATIVE;
		if (__builtin_add_overflow(*total, (uint64_t)count, total))
			return "its buckets hold more than can be counted";
	}
	return NULL;
}

static const char *integer_fault(const struct histogram *h)
{
	uint64_t total = h->zero_count;
	const char *fault;

	if ((fault = check_spans(h->neg_spans, h->n_neg_spans, h->n_neg_deltas)) ||
	    (fault = check_spans(h->pos_spans, h->n_pos_spans, h->n_pos_deltas)) ||
	    (fault = add_deltas(h->neg_deltas, h->n_neg_deltas, &total)) ||
	    (fault = add_deltas(h->pos_deltas, h->n_pos_deltas, &total)))
		return fault;
	/* Observations of NaN are counted, but are in no bucket. */
	if (isnan(h->sum) ? total <= h->count : total == h->count)
		return NULL;
	return "its buckets do not add up to its count";
}

static const char *check_counts(const double *counts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!(counts[i] >= 0))
			return NEGATIVE;
	return NULL;
}

/* Floats that were added up need not meet the count to the last bit: no reader asks for that. */
static const char *float_fault(const struct histogram *h)
{
	const char *fault;

	if ((fault = check_spans(h->neg_spans, h->n_neg_spans, h->n_neg_counts)) ||
	    (fault = check_spans(h->pos_spans, h->n_pos_spans, h->n_pos_counts)) ||
	    (fault = check_counts(h->neg_counts, h->n_neg_counts)) ||
	    (fault = check_counts(h->pos_counts, h->n_pos_counts)))
		return fault;
	if (!(h->zero_count_float >= 0) || !(h->count_float >= 0))
		return "a count is negative or no number";
	return NULL;
}

const char *native_histogram_fault(const struct histogram *h)
{
	if (!native_histogram_is(h))
		return NULL;
	if (h->schema < NATIVE_SCHEMA_MIN || h->schema > NATIVE_SCHEMA_MAX)
		return "its schema is not one of -4 to 8";
	if (!(h->zero_threshold >= 0))
		return "its zero threshold is negative or no number";
	/* To readers all counts are floats if one of these two is. */
	return h->count_float > 0 || h->zero_count_float > 0 ? float_fault(h) : integer_fault(h);
}

void native_histogram_drop(struct histogram *h)
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
