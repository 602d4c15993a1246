#include "base/buckets.h"

#include <assert.h>

void buckets_init(struct buckets *h, const double *bounds, size_t n)
{
	assert(n <= BUCKETS_MAX_BOUNDS);
	*h = (struct buckets){ .counts = { .bounds = bounds, .n_bounds = n } };
	pthread_mutex_init(&h->lock, NULL);
}

void buckets_done(struct buckets *h)
{
	pthread_mutex_destroy(&h->lock);
}

void buckets_observe(struct buckets *h, double v)
{
	size_t i = 0;

	pthread_mutex_lock(&h->lock);
	while (i < h->counts.n_bounds && v > h->counts.bounds[i])
		i++;
	h->counts.buckets[i]++;
	h->counts.count++;
	h->counts.sum += v;
	pthread_mutex_unlock(&h->lock);
}

struct buckets_counts buckets_read(struct buckets *h)
{
	pthread_mutex_lock(&h->lock);
	struct buckets_counts counts = h->counts;

	pthread_mutex_unlock(&h->lock);
	return counts;
}
