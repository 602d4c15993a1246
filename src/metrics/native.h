/*
 * Whether the native part of a histogram makes sense. The Go gateway takes any, and a Prometheus
 * that is given one which does not refuses the whole scrape.
 */
#ifndef METRICS_NATIVE_H
#define METRICS_NATIVE_H

#include <stdbool.h>

#include "metrics/metric.h"

/* Why readers would refuse it, in words for the pusher; NULL: they take it, or there is none. */
const char *native_fault(const struct histogram *h);
/* Takes the native part out; count, sum, classic buckets and exemplars stay. */
void native_drop(struct histogram *h);

#endif
