/* Decodes the metrics of a stored family again, for answers that show them one by one. */
#ifndef API_GROUP_METRICS_H
#define API_GROUP_METRICS_H

#include <stdbool.h>

#include "base/arena.h"
#include "metrics/metric.h"
#include "store/store.h"

/* How far somebody is in a family. */
struct group_metrics {
	const struct group_copy_family *family; /* borrowed */
	struct str rest;                        /* of its lines */
	bool whole;  /* its message is decoded at once, and has not been yet */
	bool failed; /* the arena was full */
};

void group_metrics_begin(struct group_metrics *gm, const struct group_copy_family *f);
/*
 * The next ones, decoded into the arena: those of some 64 KiB of text, or all of a message. NULL:
 * there are no more, or the arena is full (gm->failed). What could only be kept as the pushed
 * message has its metrics in the order pushed, the rest in the order of the exposition.
 */
struct metric *group_metrics_next(struct group_metrics *gm, struct arena *a);

#endif
