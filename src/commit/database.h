/*
 * The database as the committer uses it: database_commit() writes one transaction, and remembers
 * and logs whether it failed; database_look_after() repairs a database that cannot be trusted any
 * more. Only the committer's thread calls these, except where "any thread" is said.
 */
#ifndef COMMIT_DATABASE_H
#define COMMIT_DATABASE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buckets.h"
#include "journal/storage.h"
#include "store/store.h"

enum batch_outcome { BATCH_COMMITTED, BATCH_REFUSED, BATCH_UNKNOWN, N_BATCH_OUTCOMES };

struct database {
	struct storage *storage; /* borrowed; NULL: memory only, and none of these may be called */
	struct store *store;     /* borrowed: the store that the database holds */
	int64_t commit_ns;       /* how long the last commit took */
	struct applier *applier; /* for rows of other gateways; NULL: only this process writes */
	double now;       /* Unix seconds, by the database's clock: the time of the batch that
			     database_begin() has begun */
	int64_t asked_ns; /* monotonic: since when the first push waits that is to be committed; 0:
			     none does */

	bool full;      /* the disk was full when rows that take room were committed last */
	bool suspect;   /* a commit has failed: database_look_after() before the next batch */
	bool unsettled; /* a repair has not ended: the database is read back even if it is well */
	bool outdated;  /* the log is not the store's, and has yet to be loaded */
	atomic_bool newer;      /* any thread: the log is of a newer version than this program */
	int64_t next_rescue_ns; /* monotonic: no rescue is tried before */
	int64_t next_log_ns;    /* monotonic: the same failure is not logged again before */

	uint64_t given; /* rows of others since the last end of a transaction */
	long epoch;     /* of the log (storage.h), as logged last; 0: not yet */

	bool differs;           /* another gateway's digest differs from ours */
	bool owes_digest;       /* the log was loaded for that: the next batch has our digest */
	bool puts_digest;       /* our digest is in the rows that are committed next */
	int64_t next_digest_ns; /* monotonic: the log is not loaded for a digest again before */

	/* Any thread. */
	atomic_ullong batches[N_BATCH_OUTCOMES];
	atomic_ullong applied;        /* rows of others that were applied */
	atomic_ullong histories_lost; /* how often the log was loaded as another one */
	atomic_ullong digests_differ; /* how often another gateway's digest was not ours */
	struct buckets lock_seconds; /* time to begin a transaction, with applying rows of others */
	atomic_ullong commits, bytes;
	atomic_ullong failures; /* failed commits for which pushes were refused */
	struct buckets commit_seconds;
	pthread_mutex_t verdict_lock; /* for the members below */
	bool fails;                   /* the last commit, or the last probe, failed */
	struct err why;
	struct storage_row_id seen; /* the newest row of the log that is shown */
};

void database_init(struct database *d, struct storage *storage, struct store *store);
void database_done(struct database *d);

/* Any thread: whether other gateways write to the log. */
static inline bool database_is_shared(const struct database *d)
{
	return d->storage && d->applier;
}

/*
 * Where others write, too: nobody else does from now until the next commit, or database_cancel();
 * what they have written is published first. Before anything is staged. -1: nothing is begun, and
 * that is logged. Where nobody else writes it does nothing. It takes a time-out at most, and that
 * counts from asked_ns if what was done last, of whatever kind, has taken one in vain.
 */
int database_begin(struct database *d, struct err *err);
void database_cancel(struct database *d);
/* What was asked of it last has taken all of the time-out. */
bool database_timed_out(const struct database *d);
/*
 * After database_begin(), before anything is staged: adds a digest of the state to the batch, if
 * one is due.
 */
void database_put_digest(struct database *d);
/* Publishes rows of others; while nothing is begun and nothing staged. */
void database_follow(struct database *d);
/* Call when what was committed has been published. Does nothing while a removal is pending. */
void database_published(struct database *d);
/* Any thread: the newest row of the log that is shown. */
struct storage_row_id database_seen(struct database *d);

/*
 * Any thread: whether a newer version has written, or may write, rows that this one does not know.
 * Then the log is not read or written any more, and what is shown may be incomplete.
 */
static inline bool database_is_newer(const struct database *d)
{
	return d->newer;
}

/* Unix seconds, by the clock of the times of rows: the database's, if several gateways write. */
double database_now(const struct database *d);

/* One transaction. If it fails, that is logged as `failed`, and database_fails() says why. */
enum storage_commit_result database_commit(struct database *d, const struct rows *rows,
					   const char *failed, struct err *err);
/* The same for rows of pushes, which are refused if it fails. */
enum storage_commit_result database_commit_pushes(struct database *d, const struct rows *rows,
						  struct err *err);

/*
 * The same, but STORAGE_REFUSED_OUTDATED is nothing that has failed yet: what was staged is to be
 * rolled back, and can be staged again after database_begin(). If it is not,
 * database_note_outdated().
 */
enum storage_commit_result database_commit_once(struct database *d, const struct rows *rows,
						const char *failed, struct err *err);
enum storage_commit_result database_commit_pushes_once(struct database *d, const struct rows *rows,
						       struct err *err);
/* Pushes are refused for it. */
void database_note_outdated(struct database *d, const struct err *why);

/*
 * Between two batches, and before the next one if `suspect`. Asks the storage for its health. A
 * database that is not well is read back, or replaced by a new one written from the store. -1:
 * nothing can be committed, and *err says why.
 */
int database_look_after(struct database *d, struct err *err);
/*
 * Call once a second while no push comes: database_look_after(), and if the last commit failed,
 * finds out whether the next one would.
 */
void database_check(struct database *d);

/* Any thread: whether the last commit, or the last probe, failed, and why. */
bool database_fails(struct database *d, struct err *why);

#endif
