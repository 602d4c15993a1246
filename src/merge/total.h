/*
 * The sum of one number over contributions. NaN and infinities are counted beside the exact sum:
 * any NaN, or infinities of both signs, make the total NaN; else an infinity is the total. These
 * counts can be negative for a while, when a value is taken out of the base before it is added
 * again. One thread.
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
