/*
 * One thread for work that would hold up an event loop: compressing a large scrape. Bounded; a full
 * queue is a 503.
 */
#ifndef EXPOSE_BACKGROUND_H
#define EXPOSE_BACKGROUND_H

#include <stdbool.h>

#include "base/err.h"
#include "base/queue.h"

struct background;

/* Embed it as the first member; the producer sets run and may leave node.bytes 0. */
struct background_job {
	struct queue_node node;
	/* On the background thread; owns the job from then on. */
	void (*run)(struct background_job *job);
};

struct background *background_start(struct err *err);
/* Any thread. False: full or stopping, and the job is still the caller's. */
bool background_add(struct background *b, struct background_job *job);
/*
 * For a watchdog: false when there was something to do and no job has ended since the last call.
 * Always the same thread.
 */
bool background_beats(struct background *b);
/* Runs what is queued, and ends. NULL is fine. */
void background_stop(struct background *b);

#endif
