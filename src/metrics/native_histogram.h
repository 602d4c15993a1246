/*
 * Whether the native part of a histogram makes sense. The Go gateway accepts any, and Prometheus
 * refuses a whole scrape over one that does not.
 */
#ifndef METRICS_NATIVE_HISTOGRAM_H
#define METRICS_NATIVE_HISTOGRAM_H

#include <stdbool.h>

#include "metrics/metric.h"

/* Whether there is a native part. */
bool native_histogram_is(const struct histogram *h);
/*
 * Why readers would refuse the native part, in words for the pusher; NULL: they accept it, or there
 * is none.
 */
const char *native_histogram_fault(const struct histogram *h);
/* Takes the native part out; count, sum, classic buckets and exemplars stay. */
void native_histogram_drop(struct histogram *h);

#endif
