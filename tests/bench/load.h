/*
 * What the load generator is asked to do, and what it found. One thread, nothing global.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One request as it goes over the wire. */
struct request {
	const char *p;
	size_t n;
};

struct load_options {
	const char *host;
	unsigned port;
	const struct request *requests; /* sent in this order, over and over */
	size_t n_requests;
	unsigned connections;
	bool close;     /* a new connection for each request */
	uint64_t first; /* request to begin with */
	/*
	 * Requests to start each second, whether or not earlier ones have been answered; latencies
	 * then count from when a request was due. 0: each connection sends when it has its answer.
	 */
	double rate;
	double seconds; /* no request starts later; but see total */
	double limit;   /* seconds, after which nothing is waited for any more */
	uint64_t total; /* this many requests, however many seconds they take; 0: as seconds says */
};

struct load_result {
	uint64_t answered; /* within the time that the rate is of */
	double seconds;    /* that time */
	uint64_t ok;       /* answered 2xx, those after that time included */
	uint64_t refused;  /* answered 503: latencies are those of the others */
	uint64_t failed;
	uint64_t unanswered; /* at the limit */
	uint64_t bytes;      /* of all bodies received */
	uint32_t *latencies; /* microseconds, in the order of the answers; owned by the caller */
	size_t n_latencies;
	char encoding[32], type[64]; /* of the last answer */
	char problem[160];           /* the first failure */
};

/* Returns 0, or -1 when the load could not even begin (*ret->problem says why). */
int load_run(const struct load_options *o, struct load_result *ret);

#endif
