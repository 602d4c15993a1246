/*
 * For a log that several gateways write: a request that reads first asks for the newest row of the
 * log, and waits until that row is shown, so that every gateway shows what any of them has
 * acknowledged. A thread of its own asks, over a connection of its own (storage.h: newest), and
 * uses nothing else of the database; the committer reads and publishes the rows. Requests that come
 * while it asks share the next question. After a question has failed, no request waits until one
 * has succeeded again.
 */
#ifndef COMMIT_FRESHNESS_H
#define COMMIT_FRESHNESS_H

#include "commit/committer.h"

struct freshness;

/* Embedded in what waits. */
struct freshness_wait {
	struct freshness_wait *next;
	struct storage_row_id needs; /* the row that has to be shown */
	uint64_t nudge; /* or any later row, once the committer has followed this often, so that it
			   is of the same log */
	int64_t until_ns; /* monotonic: when waiting ends; set by the caller */
	/* Called on the thread of freshness; may free the struct. */
	void (*done)(struct freshness_wait *w);
};

/*
 * Borrows storage, committer and queue. told is called after some waits have been done.
 * stale_after_ns 0: never stale. NULL: *err.
 */
struct freshness *freshness_start(struct storage *storage, struct committer *committer,
				  struct queue *queue, int64_t stale_after_ns, void (*told)(void),
				  struct err *err);
/* Ends all waits and the thread. Before committer_stop(). NULL is fine, here and below. */
void freshness_stop(struct freshness *f);
/* After committer_stop(). */
void freshness_free(struct freshness *f);

/* Any thread. Begins to wait. False: there is nothing to wait for; done() is not called. */
bool freshness_ask(struct freshness *f, struct freshness_wait *w);

/*
 * Any thread: whether what is shown may be out of date: for stale_after_ns no question was
 * answered, or rows of the log were not shown.
 */
bool freshness_is_stale(struct freshness *f);

struct freshness_stats {
	bool up;           /* the last question was answered */
	uint64_t lag_rows; /* at that time: rows of the log that were not shown */
};

struct freshness_stats freshness_stats(struct freshness *f);

#endif
