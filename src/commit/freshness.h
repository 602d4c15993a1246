/*
 * Where several gateways write to one log: whoever reads asks first which the newest row of the log
 * is, and waits until that very row is shown, so that what any of them has acknowledged is seen at
 * all of them. A thread of its own asks, over a connection of its own (storage.h: newest), and
 * nothing else of the database is its; the committer reads the rows and shows them. Those who come
 * while it asks share the next question. Once a question has failed, nobody waits until one has
 * succeeded again.
 */
#ifndef COMMIT_FRESHNESS_H
#define COMMIT_FRESHNESS_H

#include "commit/committer.h"

struct freshness;

/* Embedded by who waits. */
struct freshness_wait {
	struct freshness_wait *next;
	struct storage_row_id needs; /* the row that has to be shown */
	uint64_t nudge;   /* or more rows, once the committer has followed so often: they are of the
			     same log */
	int64_t until_ns; /* monotonic: not longer than that; set by who waits */
	/* On the thread of freshness; may free it. */
	void (*done)(struct freshness_wait *w);
};

/*
 * Borrows all but told, which is called after some have been done. stale_after_ns: 0: never. NULL:
 * *err.
 */
struct freshness *freshness_start(struct storage *storage, struct committer *committer,
				  struct queue *queue, int64_t stale_after_ns, void (*told)(void),
				  struct err *err);
/* All who wait are done. Before committer_stop(). NULL is fine, here and below. */
void freshness_stop(struct freshness *f);
/* After committer_stop(). */
void freshness_free(struct freshness *f);

/* Any thread. False: there is nothing to wait for; done() is not called. */
bool freshness_ask(struct freshness *f, struct freshness_wait *w);

/*
 * Any thread: for so long no question was answered, or rows of the log were not shown that are
 * there, that what is shown may be out of date.
 */
bool freshness_is_stale(struct freshness *f);

struct freshness_stats {
	bool up;           /* the last question was answered */
	uint64_t lag_rows; /* then: rows of the log that were not shown yet */
};

struct freshness_stats freshness_stats(struct freshness *f);

#endif
