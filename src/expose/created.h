/*
 * A table of label sets, each with the creation time that a group has pushed for it as a gauge of
 * its own (pages/kin.h), or without one. For one entry at a time.
 */
#ifndef EXPOSE_CREATED_H
#define EXPOSE_CREATED_H

#include "base/arena.h"
#include "metrics/metric.h"

struct created_slot {
	uint64_t hash;
	size_t at, n; /* of the labels, in `labels`; n is 0: a free slot */
	struct timestamp ts;
};

struct created {
	struct created_slot *slots;
	size_t n, cap;
	struct strbuf labels;
};

void created_done(struct created *c);
void created_reset(struct created *c);

/* Whether the value of a gauge can be a creation time: not NaN, and nothing before 1970. */
bool created_is_time(double seconds, struct timestamp *ret_ts);

/* Adds the labels of m, in any order; a is for scratch. ts NULL: without a time. */
void created_add(struct created *c, const struct metric *m, const struct timestamp *ts,
		 struct arena *a);
/* The time of these labels; NULL: they are not in the table. */
const struct timestamp *created_find(struct created *c, const struct metric *m, struct arena *a);

#endif
