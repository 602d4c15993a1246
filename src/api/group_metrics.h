/* The metrics of a stored family, decoded again for those who show them one by one. */
#ifndef API_GROUP_METRICS_H
#define API_GROUP_METRICS_H

#include "base/arena.h"
#include "metrics/metric.h"
#include "store/store.h"

/*
 * Decodes into the arena. NULL: no metrics, or the arena is full. What could only be kept as the
 * pushed message has its metrics in the order pushed, the rest in the order of the exposition.
 */
struct family *group_metrics(const struct group_copy_family *f, struct arena *a);

#endif
