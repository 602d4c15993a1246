/*
 * The committer: the one thread that changes the store and talks to the database. It takes all
 * queued pushes, commits them in one transaction, publishes them, and answers, in that order: a
 * push answered 200 is durable and visible. If the commit fails, memory stays as it was, and the
 * pushes are answered 503. A dry run (push.h) gets the verdict that the push would get now, and
 * changes nothing.
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
	/* For a log that several gateways write: see struct database. */
	uint64_t batches_committed, batches_refused, batches_unknown;
	uint64_t rows_applied, histories_lost, digests_differ;
	struct buckets_counts lock_seconds;
};

/*
 * Borrows all three until committer_stop(); storage NULL: memory only. batch_done (or NULL) is
 * called on the committer's thread after the pushes of a batch have been told their verdicts.
 */
struct committer *committer_start(struct queue *queue, struct store *store, struct storage *storage,
				  void (*batch_done)(void), struct err *err);
/* Closes the queue, commits the pushes in it, and ends the thread. */
void committer_stop(struct committer *c);

/* Any thread: rules of --config.file whose limits hold from the next batch on, or within a second.
 */
void committer_use_rules(struct committer *c, struct group_rules *rules);

/* For a watchdog, always from the same thread: false when there was something to do, but no batch
 * and no step of cleaning has ended since the last call. The usual reason is a disk that does not
 * answer.
 */
bool committer_beats(struct committer *c);

/*
 * Any thread: whether the database refused the last commit, and why. While no push comes the
 * database is tried every second, so that clients that wait for /-/ready see when it recovers.
 */
bool committer_fails(struct committer *c, struct err *why);

/*
 * Any thread: whether a newer version writes to the log: then this one has to be upgraded, and must
 * not show anything.
 */
bool committer_is_outgrown(struct committer *c);

/* Any thread: the newest row of the log that is shown. */
struct storage_row_id committer_seen(struct committer *c);

/* Any thread. */
struct committer_stats committer_stats(struct committer *c);

#endif
