/*
 * The sum of what contributions say of one number. What is not finite is counted beside: any NaN,
 * or infinities of both signs, make it NaN; else the infinity is the sum. Counts may be negative on
 * the way, as what comes back is taken out of where it was moved to. One thread.
 */
#ifndef MERGE_TOTAL_H
#define MERGE_TOTAL_H

#include "merge/exact.h"

struct total {
	struct exact sum;
	int32_t n_nan, n_up, n_down;
};

static inline void total_done(struct total *t)
{
	exact_done(&t->sum);
}

/* Adds v `times` times, 1 or -1. */
void total_add(struct total *t, double v, int times);
void total_add_total(struct total *t, const struct total *v, int times);
double total_value(const struct total *t);
bool total_is_zero(const struct total *t);
bool total_equal(const struct total *a, const struct total *b);

#endif
