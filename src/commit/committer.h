/*
 * The committer: the one thread that changes the store and talks to the database. It takes whatever
 * has queued, puts it into one transaction, publishes it, and answers, in that order: a 200 is
 * durable and visible. A commit that fails leaves memory as it was and answers 503.
 */
#ifndef COMMIT_COMMITTER_H
#define COMMIT_COMMITTER_H

#include "base/buckets.h"
#include "base/queue.h"
#include "journal/storage.h"
#include "store/store.h"

struct committer;

/* Counts for our own metrics. */
struct committer_stats {
	uint64_t commits, commit_failures;
	uint64_t database_bytes;
	struct buckets_counts batch_pushes;   /* pushes in a batch */
	struct buckets_counts commit_seconds; /* of a transaction, sync included */
};

/*
 * Borrows all three until committer_stop(); storage NULL: memory only. batch_done (or NULL) is
 * called on the committer's thread after the pushes of a batch have been told their verdicts.
 */
struct committer *committer_start(struct queue *queue, struct store *store, struct storage *storage,
				  void (*batch_done)(void), struct err *err);
/* Closes the queue, commits what is in it, and ends the thread. The queue is empty afterwards. */
void committer_stop(struct committer *c);

/*
 * For a watchdog: false when there was something to do and no batch, nor a step of cleaning, has
 * ended since the last call.
 * A commit that does not return, whatever keeps it, is the usual reason. Always the same thread.
 */
bool committer_beats(struct committer *c);

/*
 * Any thread: whether the database took nothing the last time it was asked to, and why. While no
 * push comes it is asked every second, so that who stays away for it learns when it does.
 */
bool committer_fails(struct committer *c, struct err *why);

/* Any thread. */
struct committer_stats committer_stats(struct committer *c);

#endif
