/*
 * Whose a push to a summed group is: the source, its labels taken out of the grouping key and of
 * the body, and the start of its process. Pure functions of key and body; any thread.
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
	bool has_source, has_start; /* said by the push itself */
	struct str source;
	double start; /* Unix seconds */
};

struct source {
	/* Canonical: labels as key_encode() writes them, or 0xFF and what the push said. Empty: the
	 * start is the source. */
	struct str name;
	bool has_start;
	double start;
};

/*
 * Splits the key of a push into that of its group and the source, the rest being in the arena.
 * `families` is the body, NULL for a DELETE; a process_start_time_seconds without labels of its own
 * says the start. A push has to have a source or a start: else -1, ERR_INVALID, whose text shows
 * how to say one; need: whether it has to. ERR_TOO_LARGE when the arena is full.
 */
int source_split(const struct key *key, const struct source_options *o,
		 const struct family *families, bool need, struct arena *a, struct key *ret_group,
		 struct source *ret, struct err *err);

/* Takes the labels that the source had in `key` and has not in `group` out of all metrics. */
int source_strip(struct family *families, const struct key *key, const struct key *group,
		 struct arena *a, struct err *err);

/*
 * Go's process collector reads the boot time anew each time: whether b can be the start that was
 * read as a before. One or two whole seconds apart, with the same hundredths, which are not 0.
 */
bool source_same_start(double a, double b);

#endif
