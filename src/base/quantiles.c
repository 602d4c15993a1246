#include "base/quantiles.h"

#include <math.h>
#include <string.h>

/* Bucket i ends at SMALLEST * GROWTH^i: from a nanosecond up to 10^12. */
#define SMALLEST 1e-9
#define GROWTH 1.05
static const int64_t window_ns = 120000000000;

void quantiles_init(struct quantiles *q)
{
	memset(q, 0, sizeof(*q));
	pthread_mutex_init(&q->lock, NULL);
}

void quantiles_done(struct quantiles *q)
{
	pthread_mutex_destroy(&q->lock);
}

static uint32_t bucket_of(double v)
{
	double i = v <= SMALLEST ? 0 : ceil(log(v / SMALLEST) / log(GROWTH));

	return i >= QUANTILES_BUCKETS ? QUANTILES_BUCKETS - 1 : (uint32_t)i;
}

/* Empties the windows that are too old. */
static void advance(struct quantiles *q, int64_t now_ns)
{
	int64_t epoch = now_ns / window_ns;

	if (epoch - q->epoch >= QUANTILES_WINDOWS) {
		memset(q->windows, 0, sizeof(q->windows));
	} else {
		for (int64_t e = q->epoch + 1; e <= epoch; e++)
			memset(q->windows[e % QUANTILES_WINDOWS], 0, sizeof(q->windows[0]));
	}
	if (epoch > q->epoch)
		q->epoch = epoch;
}

void quantiles_observe(struct quantiles *q, double v, int64_t now_ns)
{
	pthread_mutex_lock(&q->lock);
	advance(q, now_ns);
	q->windows[q->epoch % QUANTILES_WINDOWS][bucket_of(v)]++;
	q->count++;
	q->sum += v;
	pthread_mutex_unlock(&q->lock);
}

static double find(struct quantiles *q, uint64_t rank)
{
	uint64_t seen = 0;
	uint32_t i = 0;

	for (; i < QUANTILES_BUCKETS; i++) {
		for (int w = 0; w < QUANTILES_WINDOWS; w++)
			seen += q->windows[w][i];
		if (seen > rank)
			break;
	}
	/* The middle of the bucket, geometrically. */
	return SMALLEST * pow(GROWTH, (double)i - 0.5);
}

struct quantiles_read quantiles_read(struct quantiles *q, const double asked[3], int64_t now_ns)
{
	struct quantiles_read r;
	uint64_t recent = 0;

	pthread_mutex_lock(&q->lock);
	advance(q, now_ns);
	r.count = q->count;
	r.sum = q->sum;
	for (int w = 0; w < QUANTILES_WINDOWS; w++)
		for (int i = 0; i < QUANTILES_BUCKETS; i++)
			recent += q->windows[w][i];
	for (int k = 0; k < 3; k++)
		r.at[k] = recent ? find(q, (uint64_t)(asked[k] * (double)(recent - 1))) : NAN;
	pthread_mutex_unlock(&q->lock);
	return r;
}
