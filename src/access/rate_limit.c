#include "access/rate_limit.h"

void rate_limit_init(struct rate_limit *r, int64_t interval_ns, int64_t burst, int64_t now_ns)
{
	*r = (struct rate_limit){
		.interval_ns = (double)interval_ns,
		.burst = (double)burst,
		.tokens = (double)burst,
		.since_ns = now_ns,
	};
	pthread_mutex_init(&r->lock, NULL);
}

void rate_limit_done(struct rate_limit *r)
{
	pthread_mutex_destroy(&r->lock);
}

bool rate_limit_allow(struct rate_limit *r, int64_t now_ns)
{
	bool allowed;

	pthread_mutex_lock(&r->lock);
	/* Threads read the clock before they get here, so it may seem to go backwards. */
	if (now_ns > r->since_ns) {
		r->tokens += (double)(now_ns - r->since_ns) / r->interval_ns;
		r->since_ns = now_ns;
		if (r->tokens > r->burst)
			r->tokens = r->burst;
	}
	allowed = r->tokens >= 1;
	if (allowed)
		r->tokens -= 1;
	pthread_mutex_unlock(&r->lock);
	return allowed;
}
