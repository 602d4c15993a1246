/*
 * The native part of a histogram as numbers: a count for each bucket that is not empty. Pure
 * functions; any thread.
 *
 * Histograms of several resolutions are added up at the lowest schema, where each bucket is made of
 * whole ones of the higher (as Prometheus's model/histogram reduces them). The zero bucket is the
 * widest of all, grown to the end of a bucket that it would cut, so that none is counted in part.
 */
#ifndef MERGE_NATIVE_H
#define MERGE_NATIVE_H

#include "base/arena.h"
#include "metrics/metric.h"

/* More than the 2^11 exponents that doubles have, at the highest schema, and then some. */
enum { NATIVE_MAX_INDEX = 1 << 20 };

struct native_count {
	int32_t index;
	bool negative; /* of negative numbers, which have indices of their own */
	double count;
};

struct native {
	int32_t schema;
	uint32_t n;
	double threshold, zero;
	struct native_count counts[]; /* of positive numbers first; ascending by index, none is 0 */
};

static inline size_t native_size(uint32_t n)
{
	return sizeof(struct native) + n * sizeof(struct native_count);
}

/* Of how many buckets native_read() makes counts at most. */
uint32_t native_room(const struct histogram *h);
/*
 * Of a native part that readers take (metrics/native_histogram.h): in words why it cannot be added
 * up, as a bucket that no number can be in, or a count that is infinite; or NULL.
 */
const char *native_sum_fault(const struct histogram *h);
/* Of a native part without a fault. */
void native_read(const struct histogram *h, struct native *to);
/* Either may be NULL. */
bool native_same(const struct native *a, const struct native *b);

/* The bucket of a schema that is not higher in which that bucket is. */
static inline int32_t native_index_at(int32_t index, int32_t schema, int32_t lower_schema)
{
	/* A shift rounds down, as a bucket includes its upper bound and not its lower one. */
	return ((index - 1) >> (schema - lower_schema)) + 1;
}

/*
 * Becomes the native part of h, whose count and sum are there, in the arena: of integers if all
 * counts are and add up, else of floats. False: the arena is full.
 */
bool native_write(const struct native *v, struct arena *a, struct histogram *h);

#endif
