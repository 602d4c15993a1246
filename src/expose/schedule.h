/*
 * Decides which of several long jobs continues, when one thread does them all in turns. Scrapes
 * come before pages and JSON, and a new scrape before those that have already taken long, which
 * take turns. No job waits for ever, because now and then a lower level gets a turn. One thread at
 * a time. The caller gives the time.
 */
#ifndef EXPOSE_SCHEDULE_H
#define EXPOSE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/queue.h"

enum job_kind {
	JOB_SCRAPE,
	JOB_PAGE, /* HTML and JSON of groups: one after the other, since each holds memory */
	N_JOB_KINDS,
};

/* Embed it as the first member; the producer sets kind and step, the rest is 0. */
struct job {
	struct queue_node node;
	enum job_kind kind;
	/*
	 * Goes on with the job until it is done or until_ns has come. True: it is done, and has
	 * freed the job.
	 */
	bool (*step)(struct job *job, int64_t until_ns);
	int64_t used_ns;
};

enum {
	SCHEDULE_TURN_NS = 1000 * 1000,
	/* A scrape that takes longer leaves the first level. */
	SCHEDULE_FRESH_NS = 10 * 1000 * 1000,
	/* One of this many turns goes to a lower level. */
	SCHEDULE_SHARE = 8,
};

enum schedule_level { LEVEL_FRESH, LEVEL_LONG, LEVEL_PAGES, N_SCHEDULE_LEVELS };

struct schedule {
	struct {
		struct queue_node *head, **tail;
	} levels[N_SCHEDULE_LEVELS];
	unsigned turns[N_SCHEDULE_LEVELS];
	size_t n;
	int64_t (*now_ns)(void);
};

void schedule_init(struct schedule *s, int64_t (*now_ns)(void));
void schedule_add(struct schedule *s, struct job *job);
/* Gives one job its turn; there must be one. True: the job has ended, and was of *ret_kind. */
bool schedule_turn(struct schedule *s, enum job_kind *ret_kind);

#endif
