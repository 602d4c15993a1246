/*
 * Whether the native part of a histogram makes sense. The Go gateway takes any, and a Prometheus
 * that is given one which does not refuses the whole scrape.
 */
#ifndef METRICS_NATIVE_H
#define METRICS_NATIVE_H

#include <stdbool.h>

#include "metrics/metric.h"

/* True as well when there is no native part. */
bool native_is_consistent(const struct histogram *h);
/* Takes the native part out; count, sum, classic buckets and exemplars stay. */
void native_drop(struct histogram *h);

#endif
