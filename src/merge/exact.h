/*
 * Sums of doubles that are exact: adding and subtracting the same numbers in any order gives the
 * same bits, and the result is the true sum rounded once, to the nearest double, ties to even (IEEE
 * 754 roundTiesToEven), as Python's math.fsum() gives it.
 *
 * A sum is one integer in units of 2^-1074, the smallest double, of which only the words that are
 * not implied by the sign are kept: two for sums of times, one for small counts. Unlike lists of
 * partial sums (Shewchuk's expansions) it cannot overflow on the way, does not depend on the order,
 * and never needs more than EXACT_MAX_WORDS. One thread.
 */
#ifndef MERGE_EXACT_H
#define MERGE_EXACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2098 bits for the range of doubles, 64 for 2^64 of them, a sign. */
enum { EXACT_MAX_WORDS = 34, EXACT_INLINE = 2 };

struct exact {
	uint8_t lo;  /* words below are 0; 0 when there are no words */
	uint8_t n;   /* words kept; those above are all ones if negative, else 0 */
	uint8_t cap; /* of the heap, 0: inline */
	bool negative;
	union {
		uint64_t in[EXACT_INLINE];
		uint64_t *heap;
	};
};

/* Zeroed memory is a sum of 0. */
void exact_done(struct exact *e);

/* v is finite. */
void exact_add(struct exact *e, double v);
void exact_sub(struct exact *e, double v);
/* Adds v if times is 1, subtracts it if -1. */
void exact_add_times(struct exact *e, double v, int times);
void exact_add_exact(struct exact *e, const struct exact *v);
void exact_sub_exact(struct exact *e, const struct exact *v);

/* +Inf or -Inf when the sum rounds to more than the largest double. 0 is never negative. */
double exact_value(const struct exact *e);
bool exact_is_zero(const struct exact *e);
/* Equal sums have equal bytes: lo, n, negative and the words. */
bool exact_equal(const struct exact *a, const struct exact *b);

static inline const uint64_t *exact_words(const struct exact *e)
{
	return e->cap ? e->heap : e->in;
}

/*
 * Fills a zeroed sum; words are least significant first. False: the sum is not zeroed, or could be
 * written in fewer words, or has too many.
 */
bool exact_restore(struct exact *e, uint8_t lo, uint8_t n, bool negative, const uint64_t *words);

#endif
