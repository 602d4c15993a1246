/*
 * Shared by the files of the committer: committer.c has its thread and splits lists of pushes,
 * batch.c runs a batch of any kind, pushes.c a batch of pushes, dry_runs.c answers dry runs, and
 * waiting.c does what is to be done while no push comes. The committer's thread only, except for
 * what is atomic or has a lock of its own.
 */
#ifndef COMMIT_INTERNAL_H
#define COMMIT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "commit/committer.h"
#include "commit/copying.h"
#include "commit/database.h"
#include "commit/large_steps.h"
#include "commit/late.h"
#include "commit/pace.h"
#include "commit/slices.h"
#include "push/push.h"

/* Publishing a batch holds the lock that scrapes need, so a batch is bounded. */
enum { BATCH_MAX = 512 };

/* What store_tidy() does at a time: a millisecond. */
enum { COMMITTER_TIDIES = 1024 };

/*
 * The most series of a push that is staged at once in a log that several gateways write, for each
 * second of the time-out: others wait for the lock meanwhile, for a quarter of the time-out on a
 * slow machine.
 */
enum { COMMITTER_SERIES_PER_SECOND = 40000 };

/* Of the pushes of a batch, so many series in all, and so many bytes. */
enum { COMMITTER_BYTES_PER_SECOND = 8 * 1024 * 1024 };

/* In all, where others write again and again before what was staged is committed. */
enum { COMMITTER_TRIES = 4 };

struct committer {
	struct queue *queue;
	struct store *store;
	struct database database;
	void (*batch_done)(void);
	pthread_t thread;
	atomic_bool busy;
	atomic_ullong batches;
	uint64_t batches_seen; /* by committer_beats() */
	int64_t stuck_at;      /* monotonic: the deadline that could not be worked off; 0: none */
	int64_t beat_ns;       /* monotonic: when to note again in the log that the gateway runs */
	struct pace pace;
	struct late late;         /* large pushes, and what has to wait for them */
	struct large_steps large; /* for the first of these */
	struct buckets batch_pushes;
	struct slices slices;
	struct copying copying;
	_Atomic(struct group_rules *) rules; /* new rules for the next batch on; NULL: none */
	bool counting;     /* labels of groups are being counted for the limits of rules */
	struct push *next; /* pushes that were taken from the queue, but could not join the batch */
	size_t n_next;
	size_t n_joined;       /* pushes that joined the batch after the queue was taken from */
	atomic_bool has_rules; /* `rules` may be set again */
};

/*
 * Begins a transaction for what is staged next (database_begin()). Rows of others that it applies
 * may begin a removal.
 */
int committer_begin(struct committer *c, struct err *err);
/* The same for what no removal may be pending beside: that is finished. */
int committer_begin_alone(struct committer *c, struct err *err);
void committer_publish(struct committer *c);
/* Publishes rows of others. Nothing may be staged. */
void committer_follow(struct committer *c);

/* Puts limits of reloaded rules in force. Nothing may be staged. */
void committer_follow_rules(struct committer *c);

/* True if no push waits and none comes for ns nanoseconds. */
static inline bool committer_is_idle(struct committer *c, int64_t ns)
{
	return !c->next && queue_stays_empty(c->queue, ns);
}

/* ---- batch.c ---- */

/*
 * Cuts the list after what belongs to one batch: a wipe, a removal, an undo and a backup are each a
 * batch by themselves, and where others wait for the log's lock meanwhile, all of it takes them no
 * longer than one push may. Returns the rest; NULL: there is none.
 */
struct push *committer_cut_batch(const struct committer *c, struct push *first, size_t *ret_n);
/*
 * Runs the n pushes, maybe 0, that committer_cut_batch() has cut. Each gets its verdict, at once
 * or, if it takes many steps, after the last one. grows: nothing else waits, so pushes that come
 * while the batch waits for the log's lock may join it.
 */
void committer_run_batch(struct committer *c, struct push *first, size_t n, bool grows);

/* After a transaction was begun: where others write, the times of pushes are the database's. */
void committer_set_times(const struct committer *c, struct push *first);

/* ---- dry_runs.c ---- */

/*
 * Answers the dry runs of a list, and returns the others, in order. Nothing may be staged but a
 * large push, behind which dry runs wait. were_late: they have waited already (late.h).
 */
struct push *committer_answer_dry_runs(struct committer *c, struct push *first, bool were_late);

/* ---- left_out.c ---- */

/*
 * Before the first batch after loading: writes which families are left out (store_settle_rows()).
 * If that fails, pushes and deletes go on, and it is tried again when there is time.
 */
void committer_settle(struct committer *c);
/*
 * Between two batches: shows families again that have been left out, when what was in their way has
 * gone.
 */
void committer_show_again(struct committer *c);

/* ---- pushes.c ---- */

/* What is left of a batch. */
struct batch_room {
	bool limited;
	uint64_t series, bytes;
};

struct batch_room committer_room(const struct committer *c);
/* False: there is no room for it, and none was taken. */
bool batch_room_take(struct batch_room *room, const struct push *p);

/* Refuses the pushes of the list that have no verdict yet. */
void committer_refuse(struct push *first, const struct err *why);
/*
 * Stages, commits and publishes pushes, after which each has its verdict. The transaction is begun.
 */
void committer_run_pushes(struct committer *c, struct push *first);
/* cleaning: cleaning_begin() has added rows to the batch. */
enum storage_commit_result committer_commit(struct committer *c, bool cleaning, struct err *err);
/* The most bytes of a push that a transaction can take. */
uint64_t committer_max_body(const struct committer *c);
/*
 * Stages a push. Refuses one that is too large for any transaction, and in a log that several
 * gateways write one that cannot be staged in steps and would keep others waiting for the lock.
 */
void committer_stage(struct committer *c, struct push *p);

/* ---- waiting.c ---- */

/* Does what is due until a push comes or the queue is closed. */
void committer_wait(struct committer *c);
/* Stages and commits what the deadlines of groups ask for. */
void committer_do_what_is_due(struct committer *c);
void committer_clean(struct committer *c);
void committer_beat(struct committer *c);

#endif
