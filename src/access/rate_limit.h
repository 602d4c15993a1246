/*
 * A token bucket over all requests: it holds up to `burst` tokens, gets one back each `interval`,
 * and a request takes one or is refused. It begins full. Any thread.
 */
#ifndef ACCESS_RATE_LIMIT_H
#define ACCESS_RATE_LIMIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct rate_limit {
	pthread_mutex_t lock;
	double interval_ns, burst;
	double tokens;
	int64_t since_ns; /* when tokens was counted */
};

/* interval_ns > 0. A burst of 0 or less refuses everything. now_ns is any clock that only grows. */
void rate_limit_init(struct rate_limit *r, int64_t interval_ns, int64_t burst, int64_t now_ns);
void rate_limit_done(struct rate_limit *r);

bool rate_limit_allow(struct rate_limit *r, int64_t now_ns);

#endif
