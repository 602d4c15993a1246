#include "expose/job_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

void job_counts_init(struct job_counts *c)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
}

void job_counts_done(struct job_counts *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].job);
	pthread_mutex_destroy(&c->lock);
}

void job_counts_add(struct job_counts *c, struct str job)
{
	size_t i = 0;

	pthread_mutex_lock(&c->lock);
	while (i < c->n && !str_eq(str_of(c->list[i].job), job))
		i++;
	if (i == c->n && i < JOB_COUNTS_MAX) {
		char *z = mem_alloc(job.n + 1);

		copy_bytes(z, job.p, job.n);
		z[job.n] = '\0';
		c->list[c->n++].job = z;
	}
	c->list[i].n++;
	pthread_mutex_unlock(&c->lock);
}

void job_counts_swap(struct job_counts *c, struct job_counts *own)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < JOB_COUNTS_MAX + 1; i++) {
		struct job_count was = c->list[i];

		c->list[i] = own->list[i];
		own->list[i] = was;
	}
	size_t n = c->n;

	c->n = own->n;
	own->n = n;
	pthread_mutex_unlock(&c->lock);
}

void job_counts_each(struct job_counts *c, void (*fn)(void *arg, struct str job, uint64_t n),
		     void *arg)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < JOB_COUNTS_MAX + 1; i++)
		if (c->list[i].n > 0)
			fn(arg, c->list[i].job ? str_of(c->list[i].job) : STR(""), c->list[i].n);
	pthread_mutex_unlock(&c->lock);
}
