/* The counts of a histogram with fixed bounds, for our own metrics. Any thread may observe and
 * read. */
#ifndef BASE_BUCKETS_H
#define BASE_BUCKETS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { BUCKETS_MAX_BOUNDS = 16 };

struct buckets_counts {
	const double *bounds; /* ascending, without +Inf */
	size_t n_bounds;
	uint64_t buckets[BUCKETS_MAX_BOUNDS + 1]; /* not cumulative; the last: above all bounds */
	uint64_t count;
	double sum;
};

struct buckets {
	pthread_mutex_t lock;
	struct buckets_counts counts;
};

/* Borrows bounds for ever. */
void buckets_init(struct buckets *h, const double *bounds, size_t n);
void buckets_done(struct buckets *h);
void buckets_observe(struct buckets *h, double v);
struct buckets_counts buckets_read(struct buckets *h);

#endif
