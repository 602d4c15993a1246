#include "expose/background.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/server.h"

enum { MAX_JOBS = 256 };

struct background {
	struct queue queue;
	pthread_t thread;
	atomic_bool busy;
	atomic_ullong jobs;
	uint64_t jobs_seen; /* by background_beats() */
};

static void *background_main(void *arg)
{
	struct background *b = arg;
	struct queue_node *job;
	size_t n;

	while ((job = queue_take(&b->queue, 1, &n))) {
		b->busy = true;
		((struct background_job *)job)->run((struct background_job *)job);
		http_wake_workers();
		b->jobs++;
		b->busy = false;
	}
	return NULL;
}

struct background *background_start(struct err *err)
{
	struct background *b = mem_zalloc(sizeof(*b));

	queue_init(&b->queue, MAX_JOBS, SIZE_MAX);
	if (pthread_create(&b->thread, NULL, background_main, b) != 0) {
		err_set(err, ERR_SYSTEM, 0, "cannot start the background thread");
		queue_done(&b->queue);
		free(b);
		return NULL;
	}
	pthread_setname_np(b->thread, "background");
	return b;
}

bool background_add(struct background *b, struct background_job *job)
{
	if (queue_push(&b->queue, &job->node) != QUEUE_OK)
		return false;
	queue_wake(&b->queue);
	return true;
}

bool background_beats(struct background *b)
{
	uint64_t before = b->jobs_seen;

	b->jobs_seen = b->jobs;
	return b->jobs_seen != before || (!b->busy && queue_depth(&b->queue) == 0);
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
