/*
 * The native part of a histogram as numbers: a count for each bucket that is not empty. Pure
 * functions; any thread.
 *
 * Histograms of several resolutions are added up at the lowest schema, each of whose buckets
 * consists of whole buckets of the higher ones (as Prometheus's model/histogram reduces them). The
 * zero bucket is the widest of all, and ends where a bucket ends, so that no bucket is cut.
 */
#ifndef MERGE_NATIVE_H
#define MERGE_NATIVE_H

#include "base/arena.h"
#include "metrics/metric.h"

/* More than the 2^11 exponents of doubles need at the highest schema. */
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

/* The most counts that native_read() makes of h. */
uint32_t native_room(const struct histogram *h);
/*
 * Why a native part that readers accept (metrics/native_histogram.h) cannot be added up, in words
 * for the pusher: a count is infinite, or no number can be in a bucket. NULL: it can.
 */
const char *native_sum_fault(const struct histogram *h);
/* Reads a native part without a fault into *to, which has room for native_room(h) counts. */
void native_read(const struct histogram *h, struct native *to);
/* Either may be NULL. */
bool native_same(const struct native *a, const struct native *b);

/* The bucket of a lower (or the same) schema that holds bucket `index` of `schema`. */
static inline int32_t native_index_at(int32_t index, int32_t schema, int32_t lower_schema)
{
	/*
	 * The shift rounds down. A bucket includes its upper bound and not its lower one, hence - 1
	 * and + 1.
	 */
	return ((index - 1) >> (schema - lower_schema)) + 1;
}

/*
 * Makes v the native part of h, whose count and sum are set, in the arena: with integers if all
 * counts are integers and add up, else with floats. False: the arena is full.
 */
bool native_write(const struct native *v, struct arena *a, struct histogram *h);

#endif
