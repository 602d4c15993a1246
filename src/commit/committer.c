#include "commit/committer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "commit/pace.h"
#include "journal/rescue.h"
#include "push/push.h"

/* Publishing a batch holds the lock that scrapes need, so a batch is bounded. */
enum { BATCH_MAX = 512 };

enum { IDLE_NS = 5 * 1000 * 1000, SLOW_NS = 1000 * 1000, GATHER_MAX_NS = 5 * 1000 * 1000 };

static const double batch_bounds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 };
static const double commit_bounds[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
					0.01,   0.025,   0.05,   0.1,   0.25,   1 };

struct committer {
	struct queue *queue;
	struct store *store;
	struct storage *storage;
	void (*batch_done)(void);
	pthread_t thread;
	atomic_ullong commits, failures, database_bytes;
	atomic_bool busy;
	atomic_ullong batches;
	uint64_t batches_seen; /* by committer_beats() */
	int64_t due_at;        /* monotonic: what was to be done last beside pushes */
	int64_t commit_ns;     /* that the last commit took */
	struct pace pace;
	struct buckets batch_pushes, commit_seconds;

	/* The database is looked after before the next batch: a commit has failed. */
	bool suspect;
	int64_t next_rescue_ns; /* monotonic: not before */
	int64_t next_log_ns;    /* monotonic: the same failure again */

	pthread_mutex_t verdict_lock; /* of these */
	bool fails;                   /* the last that it was asked to take it did not */
	struct err why;
};

/* While nothing is pushed the files are looked at so often. */
enum { LOOK_NS = 1000 * 1000 * 1000 };

/* why: NULL when something has been committed. */
static void set_verdict(struct committer *c, const struct err *why)
{
	bool before;

	pthread_mutex_lock(&c->verdict_lock);
	before = c->fails;
	c->fails = why != NULL;
	if (why)
		c->why = *why;
	pthread_mutex_unlock(&c->verdict_lock);
	if (before && !why)
		log_info("the database takes pushes again", NULL);
}

bool committer_fails(struct committer *c, struct err *why)
{
	bool fails;

	pthread_mutex_lock(&c->verdict_lock);
	fails = c->fails;
	if (fails)
		*why = c->why;
	pthread_mutex_unlock(&c->verdict_lock);
	return fails;
}

static enum storage_commit_result commit(struct committer *c, const struct rows *rows,
					 const char *failed, struct err *err)
{
	int64_t start = clock_mono_ns();
	enum storage_commit_result r;

	c->commit_ns = 0;
	if (rows->n == 0 && rows->trim == 0)
		return STORAGE_COMMITTED;
	r = c->storage->ops->commit(c->storage, rows, err);
	c->commit_ns = clock_mono_ns() - start;
	buckets_observe(&c->commit_seconds, (double)c->commit_ns / 1e9);
	c->commits++;
	/* Costs two stat() calls, so not after every batch. */
	if (c->commits % 64 == 1)
		c->database_bytes = c->storage->ops->bytes(c->storage);
	if (r != STORAGE_COMMITTED) {
		log_error(failed, "err", err->msg, NULL);
		c->suspect = true;
	}
	/* What is wrong with rows may be right with others. */
	if (r != STORAGE_REFUSED_ROWS)
		set_verdict(c, r == STORAGE_COMMITTED ? NULL : err);
	return r;
}

/* The same for rows without which there are pushes to refuse. */
static enum storage_commit_result commit_pushes(struct committer *c, const struct rows *rows,
						struct err *err)
{
	enum storage_commit_result r = commit(c, rows, "could not commit pushes", err);

	if (r != STORAGE_COMMITTED)
		c->failures++;
	return r;
}

static const char cleaning_failed[] = "could not shorten the log of pushes in the database";

static void wipe(struct committer *c, struct push *push)
{
	if (c->storage &&
	    commit_pushes(c, store_wipe_rows(c->store, push->now), &push->err) != STORAGE_COMMITTED)
		store_rollback(c->store);
	else
		store_wipe(c->store);
}

/* ---- a database that is not what it has to be ---- */

static void log_rescued(struct committer *c, enum rescue_result r, const char *kept,
			const struct err *why)
{
	struct log_count groups = log_count(store_counts(c->store).groups);

	if (r == RESCUE_READ_BACK)
		log_warn("the database was read back after a failed sync: it holds all that is "
			 "shown",
			 LOG_NUMBER("groups"), groups.text, NULL);
	else
		log_error("the database was not to be trusted any more: a new one has been written "
			  "from memory",
			  LOG_NUMBER("groups"), groups.text, "kept", *kept ? kept : "nothing",
			  "err", why->msg, NULL);
}

/* A failure that lasts is said once a minute, and tried again the later the longer a try takes. */
static void note_failure(struct committer *c, int64_t start, const struct err *err)
{
	enum { PAUSE_MAX_NS = 1000 * 1000 * 1000 };
	int64_t now = clock_mono_ns(), pause = 4 * (now - start);

	c->next_rescue_ns = now + (pause < PAUSE_MAX_NS ? pause : PAUSE_MAX_NS);
	if (now < c->next_log_ns)
		return;
	c->next_log_ns = now + 60 * (int64_t)1000000000;
	log_error("the database cannot be used: every push is refused until it can", "err",
		  err->msg, NULL);
}

/* -1: nothing can be committed, and *err says why. */
static int look_after(struct committer *c, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	int64_t start = clock_mono_ns();
	enum storage_health health = c->storage->ops->health(c->storage, err);
	struct err why = { 0 };
	enum rescue_result r;

	c->suspect = health != STORAGE_WELL;
	if (!c->suspect)
		return 0;
	if (start < c->next_rescue_ns)
		return err_set(err, ERR_STORAGE, 0, "the database cannot be used at the moment");
	r = rescue(c->storage, c->store, health, &kept, &why, err);
	if (r == RESCUE_FAILED) {
		note_failure(c, start, err);
		err->reason = ERR_STORAGE;
		err_prefix(err, "the push could not be stored: ");
		return -1;
	}
	log_rescued(c, r, strbuf_z(&kept), &why);
	c->suspect = false;
	c->next_log_ns = 0;
	return 0;
}

static void refuse_batch(struct push *first, const struct err *why)
{
	for (struct push *p = first; p; p = (struct push *)p->node.next)
		if (!p->err.reason)
			p->err = *why;
}

/* A wipe is a batch by itself. Cuts the list after what belongs to the batch. */
static struct push *cut_batch(struct push *first, size_t *ret_n)
{
	struct push *p = first, *next = (struct push *)p->node.next;

	*ret_n = 1;
	while (next && first->mode != PUSH_WIPE && next->mode != PUSH_WIPE) {
		p = next;
		next = (struct push *)p->node.next;
		++*ret_n;
	}
	p->node.next = NULL;
	return next;
}

static bool look_at_row(void *store, const struct row *row)
{
	return store_clean_look(store, row);
}

static int clean_row(void *store, const struct row *row, struct err *err)
{
	return store_clean_row(store, row, err);
}

/*
 * Before anything is staged, and in small steps, because pushes wait for it. False: nothing to do.
 */
static bool begin_cleaning(struct committer *c, bool idle)
{
	uint64_t due = c->storage ? store_clean_due(c->store, idle) : 0;
	const struct storage_cleaner cleaner = { look_at_row, clean_row, c->store };
	struct err err = { 0 };

	if (due == 0)
		return false;
	if (c->storage->ops->oldest(c->storage, due, &cleaner, &err) == 0) {
		store_clean_rows(c->store);
		return true;
	}
	store_clean_end(c->store, false);
	log_error(cleaning_failed, "err", err.msg, NULL);
	return false;
}

/*
 * Cleaning shares the sync of the batch. If it fails because of old rows, no push is refused for
 * that.
 */
static enum storage_commit_result commit_batch(struct committer *c, bool cleaning, struct err *err)
{
	enum storage_commit_result r;

	if (!c->storage)
		return STORAGE_COMMITTED;
	if (cleaning) {
		r = commit(c, store_rows(c->store), cleaning_failed, err);
		store_clean_end(c->store, r == STORAGE_COMMITTED);
		if (r == STORAGE_COMMITTED)
			return r;
	}
	return commit_pushes(c, store_rows(c->store), err);
}

/* What no transaction could take is not staged. */
static void stage(struct committer *c, struct push *p)
{
	uint64_t body = 0;

	for (uint32_t i = 0; i < p->n_families; i++)
		body += p->families[i].proto.n;
	if (c->storage && body > c->storage->max_body)
		err_set(&p->err, ERR_TOO_LARGE, 0,
			"the push is larger than the database can take: %llu bytes of at most %llu",
			(unsigned long long)body, (unsigned long long)c->storage->max_body);
	else
		store_stage(c->store, p);
}

/*
 * One of them may be at fault, and must not make the others fail for ever: each gets a batch of its
 * own, in order. Verdicts from staging them together are forgotten.
 */
static void run_one_by_one(struct committer *c, struct push *first, const bool *was_refused)
{
	for (struct push *p = first; p; p = (struct push *)p->node.next) {
		struct err err = { 0 };

		if (!*was_refused++)
			p->err = (struct err){ 0 };
		stage(c, p);
		if (commit_batch(c, false, &err) == STORAGE_COMMITTED) {
			store_publish(c->store);
			continue;
		}
		store_rollback(c->store);
		if (!p->err.reason)
			p->err = err;
	}
}

static void run_pushes(struct committer *c, struct push *first)
{
	bool cleaning = begin_cleaning(c, false);
	bool was_refused[BATCH_MAX] = { false };
	struct err err = { 0 };
	size_t n = 0;

	store_stage_due(c->store, clock_mono_ns(), clock_wall(), BATCH_MAX);
	for (struct push *p = first; p; p = (struct push *)p->node.next) {
		was_refused[n++] = p->err.reason != ERR_NONE;
		stage(c, p);
	}
	switch (commit_batch(c, cleaning, &err)) {
	case STORAGE_COMMITTED:
		store_publish(c->store);
		break;
	case STORAGE_REFUSED_ROWS:
		if (n > 1) {
			store_rollback(c->store);
			run_one_by_one(c, first, was_refused);
			break;
		}
		/* fall through */
	case STORAGE_REFUSED:
		store_rollback(c->store);
		refuse_batch(first, &err);
		break;
	}
}

/* Whoever is refused because of it could not have been told before. */
static void keep_pace(struct committer *c, size_t n, int64_t queued_ns, int64_t start_ns)
{
	int64_t now = clock_mono_ns();
	const struct pace_batch batch = {
		.n = n,
		.waited_ns = start_ns - queued_ns,
		.took_ns = now - start_ns,
		.refused = queue_refused(c->queue),
		.now_ns = now,
	};

	queue_limit(c->queue, pace_limit(&c->pace, &batch));
}

static void run_batch(struct committer *c, struct push *first, size_t n)
{
	int64_t queued = first->node.queued_ns, start = clock_mono_ns();
	struct err err = { 0 };

	if (c->suspect && look_after(c, &err) < 0) {
		set_verdict(c, &err);
		refuse_batch(first, &err);
		c->failures++;
	} else if (first->mode == PUSH_WIPE) {
		wipe(c, first);
	} else {
		run_pushes(c, first);
	}
	buckets_observe(&c->batch_pushes, (double)n);
	while (first) {
		struct push *p = first;

		first = (struct push *)p->node.next;
		p->done(p);
	}
	if (c->batch_done)
		c->batch_done();
	keep_pace(c, n, queued, start);
	c->batches++;
}

/* Pushes in quick succession leave short pauses, which are not the time to begin. */
static void clean_while_idle(struct committer *c)
{
	struct err err = { 0 };

	while (c->storage && store_clean_due(c->store, true) &&
	       queue_stays_empty(c->queue, IDLE_NS) && begin_cleaning(c, true)) {
		/* If this fails, there is nothing to publish. */
		commit_batch(c, true, &err);
		store_publish(c->store);
		c->batches++;
	}
}

/*
 * If a sync takes long, it is worth waiting a moment for the clients just answered: otherwise their
 * next push misses this batch and waits for two syncs.
 */
static void gather(struct committer *c, size_t answered)
{
	size_t n = answered + queue_depth(c->queue);
	int64_t ns = c->commit_ns / 4;

	if (c->commit_ns >= SLOW_NS)
		queue_gather(c->queue, n < BATCH_MAX ? n : BATCH_MAX,
			     ns < GATHER_MAX_NS ? ns : GATHER_MAX_NS);
}

/* Nobody may push any more because /-/ready says that it is of no use. */
static void ask_again(struct committer *c)
{
	struct err err = { 0 };

	if (!committer_fails(c, &err))
		return;
	if (c->storage->ops->probe(c->storage, &err) == 0) {
		set_verdict(c, NULL);
		return;
	}
	c->suspect = true;
	set_verdict(c, &err);
}

/* Groups whose time has come end. */
static void do_what_is_due(struct committer *c)
{
	struct err err = { 0 };

	c->due_at = store_next_due(c->store);
	store_stage_due(c->store, clock_mono_ns(), clock_wall(), BATCH_MAX);
	if (commit_batch(c, false, &err) == STORAGE_COMMITTED)
		store_publish(c->store);
	else
		store_rollback(c->store);
}

/*
 * How long to wait for pushes before there is something else to do: the database is looked after,
 * and the clock is looked at, each second. What could not be done is tried again as often.
 */
static int64_t until_something_else(struct committer *c)
{
	int64_t due = store_next_due(c->store), ns;

	if (due == INT64_MAX)
		return c->storage ? LOOK_NS : INT64_MAX;
	ns = due - clock_mono_ns();
	if (ns > 0)
		return ns < LOOK_NS ? ns : LOOK_NS;
	return c->due_at == due ? LOOK_NS : 0;
}

static void wait_for_pushes(struct committer *c)
{
	struct err err = { 0 };
	int64_t ns;

	while ((ns = until_something_else(c)) != INT64_MAX && queue_stays_empty(c->queue, ns)) {
		c->busy = true;
		if (c->storage && look_after(c, &err) < 0)
			set_verdict(c, &err);
		else if (c->storage)
			ask_again(c);
		if (!c->suspect && store_next_due(c->store) <= clock_mono_ns())
			do_what_is_due(c);
		c->batches++;
		c->busy = false;
	}
}

static struct push *take(struct committer *c, size_t *ret_n)
{
	wait_for_pushes(c);
	return (struct push *)queue_take(c->queue, BATCH_MAX, ret_n);
}

static void *committer_main(void *arg)
{
	struct committer *c = arg;
	struct push *first;
	size_t n, taken;

	/* The last process, or an import, may have left a long log. */
	c->busy = true;
	clean_while_idle(c);
	c->busy = false;
	while ((first = take(c, &taken))) {
		c->busy = true;
		while (first) {
			struct push *rest = cut_batch(first, &n);

			run_batch(c, first, n);
			first = rest;
		}
		gather(c, taken);
		clean_while_idle(c);
		c->busy = false;
	}
	return NULL;
}

struct committer *committer_start(struct queue *queue, struct store *store, struct storage *storage,
				  void (*batch_done)(void), struct err *err)
{
	struct committer *c = mem_zalloc(sizeof(*c));

	c->queue = queue;
	c->store = store;
	c->storage = storage;
	c->batch_done = batch_done;
	pthread_mutex_init(&c->verdict_lock, NULL);
	buckets_init(&c->batch_pushes, batch_bounds, ARRAY_LEN(batch_bounds));
	buckets_init(&c->commit_seconds, commit_bounds, ARRAY_LEN(commit_bounds));
	if (storage)
		c->database_bytes = storage->ops->bytes(storage);
	if (pthread_create(&c->thread, NULL, committer_main, c) != 0) {
		err_set(err, ERR_SYSTEM, 0, "cannot start the committer's thread");
		buckets_done(&c->batch_pushes);
		buckets_done(&c->commit_seconds);
		free(c);
		return NULL;
	}
	pthread_setname_np(c->thread, "committer");
	return c;
}

void committer_stop(struct committer *c)
{
	if (!c)
		return;
	queue_close(c->queue);
	pthread_join(c->thread, NULL);
	pthread_mutex_destroy(&c->verdict_lock);
	buckets_done(&c->batch_pushes);
	buckets_done(&c->commit_seconds);
	free(c);
}

bool committer_beats(struct committer *c)
{
	uint64_t before = c->batches_seen;

	c->batches_seen = c->batches;
	return c->batches_seen != before || (!c->busy && queue_depth(c->queue) == 0);
}

struct committer_stats committer_stats(struct committer *c)
{
	return (struct committer_stats){
		.commits = c->commits,
		.commit_failures = c->failures,
		.database_bytes = c->database_bytes,
		.batch_pushes = buckets_read(&c->batch_pushes),
		.commit_seconds = buckets_read(&c->commit_seconds),
	};
}
