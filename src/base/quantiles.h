/*
 * Quantiles over about the last ten minutes, for our own summaries: five windows of two minutes,
 * each a histogram of logarithmic buckets with a relative error of 2.5 %. Any thread.
 */
#ifndef BASE_QUANTILES_H
#define BASE_QUANTILES_H

#include <pthread.h>
#include <stdint.h>

enum { QUANTILES_WINDOWS = 5, QUANTILES_BUCKETS = 1024 };

struct quantiles {
	pthread_mutex_t lock;
	uint64_t count; /* since start, as _count and _sum are */
	double sum;
	int64_t epoch; /* number of the newest window */
	uint32_t windows[QUANTILES_WINDOWS][QUANTILES_BUCKETS];
};

struct quantiles_read {
	uint64_t count;
	double sum;
	double at[3]; /* of the quantiles asked for; NaN without recent observations */
};

void quantiles_init(struct quantiles *q);
void quantiles_done(struct quantiles *q);
/* now_ns: clock_mono_ns(). v >= 0. */
void quantiles_observe(struct quantiles *q, double v, int64_t now_ns);
struct quantiles_read quantiles_read(struct quantiles *q, const double asked[3], int64_t now_ns);

#endif
