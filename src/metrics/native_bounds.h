/*
 * The buckets of native histograms as ranges of numbers, with the digits of Go's libraries, which
 * readers compare. Any thread.
 */
#ifndef METRICS_NATIVE_BOUNDS_H
#define METRICS_NATIVE_BOUNDS_H

#include <stdint.h>

/* The resolutions that every reader of native histograms knows. */
enum { NATIVE_SCHEMA_MIN = -4, NATIVE_SCHEMA_MAX = 8 };

/*
 * The inclusive upper bound of a bucket of positive numbers, which is the exclusive lower one of
 * the next. The bucket behind that of the largest double is that of infinities.
 */
double native_upper_bound(int schema, int64_t index);

#endif
