/*
 * What the files of the committer share: committer.c has its thread and takes lists apart,
 * batch.c runs one batch, pushes.c one of pushes, dry_runs.c answers who asks for a verdict only,
 * and waiting.c does what is to be done while none comes. The
 * committer's thread only, except for what is atomic or has a lock of its own.
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

/* Of one push, for each second of the time-out, where others wait for the lock meanwhile: a quarter
 * of that time on a slow machine.
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
	int64_t due_at;        /* monotonic: the deadline of groups that was worked on last */
	int64_t beat_ns;       /* monotonic: when the log is to be told again that it runs */
	struct pace pace;
	struct late late;         /* large pushes, and what has to wait for them */
	struct large_steps large; /* of the first of these */
	struct buckets batch_pushes;
	struct slices slices;
	struct copying copying;
	_Atomic(struct group_rules *) rules; /* to be used from the next batch on; NULL: none */
	bool counting;                       /* what groups have, for the limits of rules */
	struct push *next; /* taken from the queue with a batch, which they could not become part of
			    */
	size_t n_next;
	size_t n_joined;       /* of the queue since it was taken from last, which did */
	atomic_bool has_rules; /* others may come */
};

/*
 * A transaction of its own for what is staged next (database_begin()). Others' rows find no removal
 * half done.
 */
int committer_begin(struct committer *c, struct err *err);
void committer_publish(struct committer *c);
/* What others have written is published. Nothing may be staged. */
void committer_follow(struct committer *c);

/* The limits of rules that were reloaded hold from now on. Nothing may be staged. */
void committer_follow_rules(struct committer *c);

/* Nothing has come for ns nanoseconds, nor is there anything from before. */
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
 * What committer_cut_batch() has cut, n pushes; or none. Each gets its verdict, at once or, of what
 * takes many steps, after the last of them. grows: nothing else waits for its turn, so that what
 * comes while the batch waits for the log's lock can become part of it.
 */
void committer_run_batch(struct committer *c, struct push *first, size_t n, bool grows);

/* After a transaction was begun: where others write, the times of pushes are the database's. */
void committer_set_times(const struct committer *c, struct push *first);

/* ---- dry_runs.c ---- */

/*
 * Answers the dry runs of a list, and returns the others, in order. Nothing may be staged but a
 * large push, behind which those have to wait that were not among what is late (late.h).
 */
struct push *committer_answer_dry_runs(struct committer *c, struct push *first, bool were_late);

/* ---- pushes.c ---- */

/* What is left of a batch. */
struct batch_room {
	bool limited;
	uint64_t series, bytes;
};

struct batch_room committer_room(const struct committer *c);
/* False: there is no room for it, and none was taken. */
bool batch_room_take(struct batch_room *room, const struct push *p);

/* Of the list, those without a verdict. */
void committer_refuse(struct push *first, const struct err *why);
/* Stages, commits and publishes them. Afterwards each has its verdict. The transaction is begun. */
void committer_run_pushes(struct committer *c, struct push *first);
/* cleaning: cleaning_begin() has added rows to the batch. */
enum storage_commit_result committer_commit(struct committer *c, bool cleaning, struct err *err);
/* The bytes of a push that a transaction can take. */
uint64_t committer_max_body(const struct committer *c);
/*
 * A push too large for any transaction is refused; where others write, too, so is one that cannot
 * be staged in steps and would have them wait for the lock for long.
 */
void committer_stage(struct committer *c, struct push *p);

/* ---- waiting.c ---- */

/* Returns when a push has come, or the queue is closed. */
void committer_wait(struct committer *c);
/* Stages and commits what the deadlines of groups ask for. */
void committer_do_what_is_due(struct committer *c);
void committer_clean(struct committer *c);
void committer_beat(struct committer *c);

#endif
