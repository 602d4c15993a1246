/* Buckets of a native histogram, one by one, as the JSON of the Go gateway shows them. */
#ifndef API_NATIVE_BUCKETS_H
#define API_NATIVE_BUCKETS_H

#include <stdbool.h>

#include "metrics/metric.h"

struct native_bucket {
	int boundaries; /* 0: (lower, upper], 1: [lower, upper), 3: [lower, upper] */
	double lower, upper;
	bool is_float;
	uint64_t count; /* if is_float is false */
	double count_float;
};

/* True for a histogram that shows native buckets instead of classic ones: spans make it one. */
bool native_buckets_shown(const struct histogram *h);

/*
 * Calls fn for each bucket with a count, from the most negative to the largest. Stops where the
 * histogram is inconsistent (a schema above 8, spans longer than the counts).
 */
void native_buckets_each(const struct histogram *h,
			 void (*fn)(void *arg, const struct native_bucket *b), void *arg);

#endif
