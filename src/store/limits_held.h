/* The limits of a store (store.h). The committer only. */
#ifndef STORE_LIMITS_HELD_H
#define STORE_LIMITS_HELD_H

#include <stdint.h>

struct store;

struct limits_held {
	uint64_t max_groups, max_series, max_bytes;
};

/*
 * At start: lifts the limits, so that what is stored stays even if they were lowered below it;
 * returns them.
 */
struct limits_held store_lift_limits(struct store *s);

#endif
