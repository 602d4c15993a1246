/*
 * The source of a push to a summed group, whose labels are taken out of the grouping key and the
 * body, and the start of its process. Pure functions of key and body; any thread.
 */
#ifndef MERGE_SOURCE_H
#define MERGE_SOURCE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "metrics/key.h"

struct source_options {
	const struct str *labels; /* of the key that name the source; NULL: instance, pid, worker */
	uint32_t n_labels;
	bool has_source, has_start; /* given by the push itself */
	struct str source;
	double start; /* Unix seconds */
};

struct source {
	/*
	 * Canonical bytes: labels as key_encode() writes them, or 0xFF and the name that the push
	 * gives. Empty: the start alone identifies the source.
	 */
	struct str name;
	bool has_start;
	double start;
};

/*
 * Splits the key of a push into the key of its group and the source, both in the arena. `families`
 * is the body, NULL for a DELETE; a process_start_time_seconds without labels of its own is the
 * start. need: -1 with ERR_INVALID, which shows how to name a source, if the push has neither
 * source nor start. ERR_TOO_LARGE when the arena is full.
 */
int source_split(const struct key *key, const struct source_options *o,
		 const struct family *families, bool need, struct arena *a, struct key *ret_group,
		 struct source *ret, struct err *err);

/*
 * Removes the labels of the source, which are in `key` and not in `group`, from all metrics. -1:
 * ERR_TOO_LARGE, the arena is full.
 */
int source_strip(struct family *families, const struct key *key, const struct key *group,
		 struct arena *a, struct err *err);

/*
 * Whether a and b can be the same start. Go's process collector computes the start from a boot time
 * that it reads anew each time, so the same start can differ by one or two whole seconds, with the
 * same hundredths, which are not 0.
 */
bool source_same_start(double a, double b);

#endif
