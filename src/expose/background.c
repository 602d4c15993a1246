#include "expose/background.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/server.h"

/* Each kind has a limit of its own, so that pages take no places from scrapes. */
static const unsigned max_jobs[N_JOB_KINDS] = { [JOB_SCRAPE] = 256, [JOB_PAGE] = 64 };

struct background {
	struct queue queue; /* jobs on their way to the thread */
	struct schedule schedule;
	pthread_t thread;
	atomic_uint jobs[N_JOB_KINDS]; /* queued or begun */
	atomic_ullong turns;
	uint64_t turns_seen; /* when background_beats() was called last */
};

/* False: the queue is closed and nothing is left to do. */
static bool take_new(struct background *b)
{
	struct queue_node *job, *next;
	size_t n;

	/* Does not wait for a new job while there are unfinished ones. */
	if (b->schedule.n > 0 && queue_depth(&b->queue) == 0)
		return true;
	job = queue_take(&b->queue, SIZE_MAX, &n);
	for (; job; job = next) {
		next = job->next;
		schedule_add(&b->schedule, (struct job *)job);
	}
	return b->schedule.n > 0;
}

static void *background_main(void *arg)
{
	struct background *b = arg;
	enum job_kind kind;

	while (take_new(b)) {
		if (schedule_turn(&b->schedule, &kind)) {
			b->jobs[kind]--;
			http_wake_workers();
		}
		b->turns++;
	}
	return NULL;
}

struct background *background_start(struct err *err)
{
	struct background *b = mem_zalloc(sizeof(*b));

	queue_init(&b->queue, SIZE_MAX, SIZE_MAX);
	schedule_init(&b->schedule, clock_mono_ns);
	if (pthread_create(&b->thread, NULL, background_main, b) != 0) {
		err_set(err, ERR_SYSTEM, 0, "cannot start the background thread");
		queue_done(&b->queue);
		free(b);
		return NULL;
	}
	pthread_setname_np(b->thread, "background");
	return b;
}

bool background_add(struct background *b, struct job *job)
{
	enum job_kind kind = job->kind;

	if (b->jobs[kind]++ < max_jobs[kind] && queue_push(&b->queue, &job->node) == QUEUE_OK) {
		queue_wake(&b->queue);
		return true;
	}
	b->jobs[kind]--;
	return false;
}

bool background_beats(struct background *b)
{
	uint64_t before = b->turns_seen;

	b->turns_seen = b->turns;
	return b->turns_seen != before || b->jobs[JOB_SCRAPE] + b->jobs[JOB_PAGE] == 0;
}

void background_stop(struct background *b)
{
	if (!b)
		return;
	queue_close(&b->queue);
	pthread_join(b->thread, NULL);
	queue_done(&b->queue);
	free(b);
}
