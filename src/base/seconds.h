/*
 * Seconds with digits behind the point, as metrics and rows have them, and nanoseconds, as the
 * clocks have them. What does not fit becomes the nearest that does; NaN is 0.
 */
#ifndef BASE_SECONDS_H
#define BASE_SECONDS_H

#include <stdbool.h>
#include <stdint.h>

/* Of a Unix time. What is none may be milliseconds, or no number. */
static inline bool seconds_are_time(double seconds)
{
	return seconds > -1e11 && seconds < 1e11;
}

static inline int64_t seconds_to_ns(double seconds)
{
	double ns = seconds * 1e9;

	if (ns >= 0x1p63)
		return INT64_MAX;
	if (ns <= -0x1p63)
		return INT64_MIN;
	return ns == ns ? (int64_t)ns : 0;
}

/* INT64_MAX stands for never, and stays that. */
static inline int64_t ns_later(int64_t at, int64_t ns)
{
	int64_t sum;

	return __builtin_add_overflow(at, ns, &sum) ? INT64_MAX : sum;
}

#endif
