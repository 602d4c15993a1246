/* A counter with a label `job` that has a bounded number of values. Any thread. */
#ifndef EXPOSE_JOB_COUNTS_H
#define EXPOSE_JOB_COUNTS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { JOB_COUNTS_MAX = 100 };

struct job_count {
	char *job; /* owned; NULL: of all that had no place */
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

/* Each gets what the other has. Only one thread may have `own`. */
void job_counts_swap(struct job_counts *c, struct job_counts *own);

/* Calls fn for each that is not 0, with the lock held; job "": all beyond the first hundred. */
void job_counts_each(struct job_counts *c, void (*fn)(void *arg, struct str job, uint64_t n),
		     void *arg);

#endif
