/* A counter with a label `job` that has a bounded number of values. Any thread. */
#ifndef EXPOSE_JOB_COUNTS_H
#define EXPOSE_JOB_COUNTS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { JOB_COUNTS_MAX = 100 };

struct job_count {
	char *job; /* owned; NULL: the count of all jobs without a place */
	uint64_t n;
};

struct job_counts {
	pthread_mutex_t lock;
	struct job_count list[JOB_COUNTS_MAX + 1];
	size_t n; /* with a job */
};

void job_counts_init(struct job_counts *c);
void job_counts_done(struct job_counts *c);
void job_counts_add(struct job_counts *c, struct str job);

/* Exchanges the contents of both. Only the calling thread may use `own`. */
void job_counts_swap(struct job_counts *c, struct job_counts *own);

/*
 * Calls fn for each count that is not 0, with the lock held; job "": all jobs beyond the first
 * hundred.
 */
void job_counts_each(struct job_counts *c, void (*fn)(void *arg, struct str job, uint64_t n),
		     void *arg);

#endif
