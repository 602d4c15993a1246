/*
 * One thread for work that would hold up an event loop: encoding and compressing scrapes, making
 * pages and JSON. Jobs take turns on it (schedule.h). The number of jobs of each kind is limited;
 * beyond it, requests are answered 503.
 */
#ifndef EXPOSE_BACKGROUND_H
#define EXPOSE_BACKGROUND_H

#include <stdbool.h>

#include "base/err.h"
#include "expose/schedule.h"

struct background;

struct background *background_start(struct err *err);
/* Any thread. False: full or stopping, and the job is still the caller's. */
bool background_add(struct background *b, struct job *job);
/*
 * For a watchdog: false when there was something to do and no turn has ended since the last call.
 * Always the same thread.
 */
bool background_beats(struct background *b);
/* Finishes all queued jobs, and ends the thread. NULL is fine. */
void background_stop(struct background *b);

#endif
