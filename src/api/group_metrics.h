/* Decodes the metrics of a stored family again, for answers that show them one by one. */
#ifndef API_GROUP_METRICS_H
#define API_GROUP_METRICS_H

#include <stdbool.h>

#include "base/arena.h"
#include "metrics/metric.h"
#include "store/store.h"

/* How far a family has been decoded. */
struct group_metrics {
	const struct group_copy_family *family; /* borrowed */
	struct str rest;                        /* lines still to be decoded */
	bool whole;                             /* its message has yet to be decoded, all at once */
	bool failed;                            /* the arena was full */
};

void group_metrics_begin(struct group_metrics *gm, const struct group_copy_family *f);
/*
 * Decodes the next metrics into the arena: those of some 64 KiB of text, or all of a message. NULL:
 * there are no more, or the arena is full (gm->failed). Metrics of a message are in the order
 * pushed, others in the order of the exposition.
 */
struct metric *group_metrics_next(struct group_metrics *gm, struct arena *a);

#endif
