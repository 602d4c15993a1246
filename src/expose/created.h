/*
 * The times of creation that a group pushed as a gauge of their own (pages/kin.h), by the labels of
 * what they are of; or only which labels there are. For one entry at a time.
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

/* Whether the gauge can be a time of creation at all. NaN cannot, and nothing before 1970. */
bool created_is_time(double seconds, struct timestamp *ret_ts);

/* By the labels of m, in any order; a is for scratch. ts NULL: that they are there. */
void created_add(struct created *c, const struct metric *m, const struct timestamp *ts,
		 struct arena *a);
/* NULL: nothing has these labels. */
const struct timestamp *created_find(struct created *c, const struct metric *m, struct arena *a);

#endif
