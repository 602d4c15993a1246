#include "commit/committer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commit/cleaning.h"
#include "commit/internal.h"

enum { IDLE_NS = 5 * 1000 * 1000, SLOW_NS = 1000 * 1000, GATHER_MAX_NS = 5 * 1000 * 1000 };

static const double batch_bounds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 };

/* While no push comes, the database's files are checked this often. */
enum { LOOK_NS = 1000 * 1000 * 1000 };

/* And so often others' rows are looked for, which whoever scrapes asks for in any case. */
enum { POLL_NS = 250 * 1000 * 1000 };

/* While nothing is pushed either, the log is told so often that the gateway runs. */
#define BEAT_NS (60 * INT64_C(1000000000))

/* A transaction of its own for what is staged next. Others' rows find no removal half done. */
int committer_begin(struct committer *c, struct err *err)
{
	if (database_is_shared(&c->database))
		slices_finish_removal(&c->slices);
	return database_begin(&c->database, err);
}

void committer_follow(struct committer *c)
{
	if (!database_is_shared(&c->database))
		return;
	slices_finish_removal(&c->slices);
	database_follow(&c->database);
}

void committer_publish(struct committer *c)
{
	store_publish(c->store);
	database_published(&c->database);
}

static void wipe(struct committer *c, struct push *push)
{
	struct database *d = &c->database;

	if (d->storage && database_commit_pushes(d, store_wipe_rows(c->store, push->now),
						 &push->err) != STORAGE_COMMITTED) {
		store_rollback(c->store);
		return;
	}
	push->n_ended = store_counts(c->store).groups;
	store_wipe(c->store);
	database_published(d);
}

static void end_copying(struct committer *c, struct push *push)
{
	if (!push)
		return;
	push->done(push);
	if (c->batch_done)
		c->batch_done();
}

static void go_on_copying(struct committer *c)
{
	if (!c->copying.push)
		return;
	end_copying(c, copying_step(&c->copying, c->database.storage));
	c->batches++;
}

/* What takes many steps goes on with one of each. */
static void go_on(struct committer *c)
{
	c->batches += slices_go_on(&c->slices);
	go_on_copying(c);
}

void committer_refuse(struct push *first, const struct err *why)
{
	for (struct push *p = first; p; p = (struct push *)p->node.next)
		if (!p->err.reason)
			p->err = *why;
}

static bool is_alone(const struct push *p)
{
	return p->mode == PUSH_WIPE || p->mode == PUSH_REMOVE || p->mode == PUSH_UNDO ||
	       p->mode == PUSH_BACKUP || p->mode == PUSH_FOLLOW;
}

/* A wipe is a batch by itself, and so are a removal and its undo. Cuts the list after what belongs
 * to the batch.
 */
static struct push *cut_batch(struct push *first, size_t *ret_n)
{
	struct push *p = first, *next = (struct push *)p->node.next;

	*ret_n = 1;
	while (next && !is_alone(first) && !is_alone(next)) {
		p = next;
		next = (struct push *)p->node.next;
		++*ret_n;
	}
	p->node.next = NULL;
	return next;
}

/* cleaning: cleaning_begin() has added rows to the batch. */
enum storage_commit_result committer_commit(struct committer *c, bool cleaning, struct err *err)
{
	struct database *d = &c->database;

	if (!d->storage || (cleaning && cleaning_commit(d, err) == STORAGE_COMMITTED))
		return STORAGE_COMMITTED;
	return database_commit_pushes(d, store_rows(c->store), err);
}

/* A push too large for any transaction is refused here. */
void committer_stage(struct committer *c, struct push *p)
{
	const struct storage *st = c->database.storage;
	uint64_t body = 0;

	for (uint32_t i = 0; i < p->n_families; i++)
		body += p->families[i].proto.n;
	if (st && body > st->max_body)
		err_set(&p->err, ERR_TOO_LARGE, 0,
			"the push is larger than the database can take: %llu bytes of at most %llu",
			(unsigned long long)body, (unsigned long long)st->max_body);
	else
		store_stage(c->store, p);
}

/* The database has refused the batch for one of its rows: each push gets a batch of its own, in
 * order, so that only the one at fault fails. What staging them together found is forgotten.
 */
static void run_one_by_one(struct committer *c, struct push *first, const bool *was_refused)
{
	for (struct push *p = first; p; p = (struct push *)p->node.next) {
		struct err err = { 0 };

		if (!*was_refused++)
			p->err = (struct err){ 0 };
		if (committer_begin(c, &err) == 0) {
			committer_stage(c, p);
			if (committer_commit(c, false, &err) == STORAGE_COMMITTED) {
				committer_publish(c);
				continue;
			}
			store_rollback(c->store);
		}
		if (!p->err.reason)
			p->err = err;
	}
}

/* On a full disk: what takes room is refused, and what makes some gets a batch of its own. */
static void run_deletes(struct committer *c, struct push *first, const bool *was_refused,
			const struct err *why)
{
	struct err err = { 0 };

	if (committer_begin(c, &err) < 0) {
		committer_refuse(first, &err);
		return;
	}
	store_stage_due(c->store, clock_mono_ns(), database_now(&c->database), BATCH_MAX);
	for (struct push *p = first; p; p = (struct push *)p->node.next) {
		if (!*was_refused++)
			p->err = (struct err){ 0 };
		if (p->mode == PUSH_DELETE)
			committer_stage(c, p);
		else if (!p->err.reason)
			p->err = *why;
	}
	if (committer_commit(c, false, &err) == STORAGE_COMMITTED) {
		committer_publish(c);
	} else {
		store_rollback(c->store);
		committer_refuse(first, &err);
	}
}

/* Returns how many there are. What staging them before found is forgotten. */
static size_t stage_all(struct committer *c, struct push *first, const bool *was_refused)
{
	size_t n = 0;

	store_stage_due(c->store, clock_mono_ns(), database_now(&c->database), BATCH_MAX);
	for (struct push *p = first; p; p = (struct push *)p->node.next) {
		if (!was_refused[n++])
			p->err = (struct err){ 0 };
		committer_stage(c, p);
	}
	return n;
}

static void note_refused(const struct push *first, bool was_refused[BATCH_MAX])
{
	for (const struct push *p = first; p; p = (const struct push *)p->node.next)
		*was_refused++ = p->err.reason != ERR_NONE;
}

void committer_run_pushes(struct committer *c, struct push *first)
{
	bool was_refused[BATCH_MAX] = { false };
	enum storage_commit_result r;
	struct err err = { 0 };
	size_t n;

	note_refused(first, was_refused);
	bool cleaning = cleaning_begin(&c->database, CLEAN_BUSY);

	n = stage_all(c, first, was_refused);
	r = committer_commit(c, cleaning, &err);
	if (r == STORAGE_REFUSED_FULL) {
		store_rollback(c->store);
		cleaning_make_room(&c->database);
		if (committer_begin(c, &err) == 0) {
			stage_all(c, first, was_refused);
			r = committer_commit(c, false, &err);
		}
	}
	if (r == STORAGE_COMMITTED) {
		committer_publish(c);
		return;
	}
	store_rollback(c->store);
	if (r == STORAGE_REFUSED_ROWS && n > 1)
		run_one_by_one(c, first, was_refused);
	else if (r == STORAGE_REFUSED_FULL)
		run_deletes(c, first, was_refused, &err);
	else
		committer_refuse(first, &err);
}

/* All replicas count from the time that the database has for the batch. */
static void set_times(const struct committer *c, struct push *first)
{
	if (!database_is_shared(&c->database))
		return;
	for (struct push *p = first; p; p = (struct push *)p->node.next) {
		p->now = c->database.now;
		if (p->removal)
			p->removal->now = c->database.now;
		if (p->undo)
			p->undo->now = c->database.now;
	}
}

/* Only now it is known how long the batch took, and so how many pushes may wait. */
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

static int make_ready(struct committer *c, struct push *first, struct err *err)
{
	if (c->database.suspect && database_look_after(&c->database, err) < 0)
		return -1;
	if (committer_begin(c, err) < 0)
		return -1;
	set_times(c, first);
	return 0;
}

static void run_batch(struct committer *c, struct push *first, size_t n)
{
	int64_t queued = first->node.queued_ns, start = clock_mono_ns();
	bool large = first->n_families >= LATE_FAMILIES;
	struct err err = { 0 };
	bool waits = false;

	if (c->database.suspect || is_alone(first))
		slices_finish(&c->slices);
	if (make_ready(c, first, &err) < 0) {
		committer_refuse(first, &err);
		c->database.failures++;
	} else if (first->mode == PUSH_WIPE) {
		wipe(c, first);
	} else if (first->mode == PUSH_REMOVE) {
		waits = slices_begin_removal(&c->slices, first);
	} else if (first->mode == PUSH_UNDO) {
		waits = slices_begin_undo(&c->slices, first);
	} else if (first->mode == PUSH_BACKUP) {
		waits = copying_begin(&c->copying, c->database.storage, first);
	} else {
		committer_run_pushes(c, first);
	}
	database_cancel(&c->database);
	buckets_observe(&c->batch_pushes, (double)n);
	while (first && !waits) {
		struct push *p = first;

		first = (struct push *)p->node.next;
		p->done(p);
	}
	if (c->batch_done)
		c->batch_done();
	/* It says nothing of what others take. */
	if (!large)
		keep_pace(c, n, queued, start);
	c->batches++;
}

/* The short pauses between pushes in quick succession are not used for cleaning. */
void committer_clean(struct committer *c)
{
	struct err err = { 0 };

	while (c->database.storage && store_clean_due(c->store, CLEAN_IDLE) &&
	       queue_stays_empty(c->queue, IDLE_NS) && committer_begin(c, &err) == 0 &&
	       cleaning_begin(&c->database, CLEAN_IDLE)) {
		/* If this fails, there is nothing to publish. */
		committer_commit(c, true, &err);
		committer_publish(c);
		c->batches++;
	}
	database_cancel(&c->database);
}

/* On a disk with slow syncs, waits a moment for the next pushes of the clients just answered: they
 * would otherwise miss the next batch and wait for two syncs.
 */
static void gather(struct committer *c, size_t answered)
{
	size_t n = answered + queue_depth(c->queue);
	int64_t took = c->database.commit_ns, ns = took / 4;

	if (took >= SLOW_NS)
		queue_gather(c->queue, n < BATCH_MAX ? n : BATCH_MAX,
			     ns < GATHER_MAX_NS ? ns : GATHER_MAX_NS);
}

/* Stages and commits what the deadlines of groups ask for. */
void committer_do_what_is_due(struct committer *c)
{
	struct err err = { 0 };

	c->due_at = store_next_due(c->store);
	if (committer_begin(c, &err) < 0)
		return;
	store_stage_due(c->store, clock_mono_ns(), database_now(&c->database), BATCH_MAX);
	if (committer_commit(c, false, &err) == STORAGE_COMMITTED)
		committer_publish(c);
	else
		store_rollback(c->store);
}

/* How long to wait for pushes: until the next deadline of a group, but at most a second, after
 * which the database is checked. A deadline that could not be worked off is tried again after a
 * second.
 */
static int64_t until_something_else(struct committer *c)
{
	int64_t look = database_is_shared(&c->database) ? POLL_NS : LOOK_NS;
	int64_t due = store_next_due(c->store), ns;

	if (due == INT64_MAX)
		return c->database.storage ? look : INT64_MAX;
	ns = due - clock_mono_ns();
	if (ns > 0)
		return ns < look ? ns : look;
	return c->due_at == due ? look : 0;
}

/*
 * Deadlines do not run out while the gateway is down, for as long as that was: the log says until
 * when it ran.
 */
void committer_beat(struct committer *c)
{
	struct database *d = &c->database;
	struct err err = { 0 };

	c->beat_ns = clock_mono_ns();
	if (!d->storage || d->suspect || d->full || store_next_due(c->store) == INT64_MAX)
		return;
	if (committer_begin(c, &err) < 0)
		return;
	if (database_commit(d, store_beat_rows(c->store, database_now(&c->database)),
			    "could not note that the gateway runs", &err) == STORAGE_COMMITTED)
		committer_publish(c);
	else
		store_rollback(c->store);
}

void committer_wait(struct committer *c)
{
	struct database *d = &c->database;
	int64_t ns;

	while ((ns = until_something_else(c)) != INT64_MAX && queue_stays_empty(c->queue, ns)) {
		c->busy = true;
		if (d->full)
			cleaning_make_room(d);
		if (d->storage)
			database_check(d);
		committer_follow(c);
		if (!d->suspect && store_next_due(c->store) <= clock_mono_ns())
			committer_do_what_is_due(c);
		if (clock_mono_ns() >= c->beat_ns + BEAT_NS)
			committer_beat(c);
		c->batches++;
		c->busy = false;
	}
}

/* NULL: there is nothing but what is late, or the queue is closed and empty. */
static struct push *take(struct committer *c, size_t *ret_n)
{
	while ((slices_pending(&c->slices) || c->copying.push) && c->late.n == 0 &&
	       queue_stays_empty(c->queue, 0))
		go_on(c);
	*ret_n = 0;
	/* What is late takes memory beside that of the queue. */
	if (c->late.n >= LATE_MAX || (c->late.n > 0 && queue_stays_empty(c->queue, 0)))
		return NULL;
	if (c->late.n == 0)
		committer_wait(c);
	return (struct push *)queue_take(c->queue, BATCH_MAX, ret_n);
}

static void run_dry(struct committer *c, struct push *p)
{
	struct err err;

	/* A push would be told so, too. */
	if (c->database.storage && database_fails(&c->database, &err)) {
		if (!p->err.reason)
			p->err = err;
		return;
	}
	committer_stage(c, p);
	store_rollback(c->store);
}

/*
 * Those of a list that ask for a verdict only are answered first, each against what is published:
 * nobody sees what they stage, nor do they see each other. Returns the others, in order.
 */
static struct push *answer_dry_runs(struct committer *c, struct push *first)
{
	struct push *others = NULL, **last = &others, *next;
	bool some = false;

	for (struct push *p = first; p; p = next) {
		next = (struct push *)p->node.next;
		if (!p->dry_run) {
			*last = p;
			last = (struct push **)&p->node.next;
			continue;
		}
		/* A push would come after what is due, and after what others have written. */
		if (!some)
			committer_follow(c);
		if (!some && !c->database.suspect && store_next_due(c->store) <= clock_mono_ns())
			committer_do_what_is_due(c);
		some = true;
		run_dry(c, p);
		p->done(p);
	}
	*last = NULL;
	if (some && c->batch_done)
		c->batch_done();
	c->batches += some;
	return others;
}

static void run_follow(struct committer *c, struct push *push)
{
	committer_follow(c);
	push->done(push);
	if (c->batch_done)
		c->batch_done();
	c->batches++;
}

static void run_list(struct committer *c, struct push *first)
{
	size_t n;

	while (first) {
		struct push *rest = cut_batch(first, &n);

		if (first->mode == PUSH_FOLLOW)
			run_follow(c, first);
		else
			run_batch(c, first, n);
		go_on(c);
		first = rest;
	}
}

static void *committer_main(void *arg)
{
	struct committer *c = arg;
	struct push *first;
	size_t n, taken;

	/* The process before, or an import, may have left a long log. */
	c->busy = true;
	committer_clean(c);
	c->busy = false;
	while ((first = take(c, &taken)) || c->late.n > 0) {
		c->busy = true;
		first = answer_dry_runs(c, first);
		run_list(c, late_sort(&c->late, first));
		first = late_take(&c->late, BATCH_MAX, &n);
		if (first)
			run_batch(c, first, n);
		go_on(c);
		if (c->late.n == 0) {
			gather(c, taken);
			committer_clean(c);
		}
		c->busy = false;
	}
	slices_finish(&c->slices);
	end_copying(c, copying_give_up(&c->copying, c->database.storage));
	committer_beat(c);
	return NULL;
}

struct committer *committer_start(struct queue *queue, struct store *store, struct storage *storage,
				  void (*batch_done)(void), struct err *err)
{
	struct committer *c = mem_zalloc(sizeof(*c));

	c->queue = queue;
	c->store = store;
	c->batch_done = batch_done;
	late_init(&c->late);
	database_init(&c->database, storage, store);
	slices_init(&c->slices, &c->database, batch_done);
	buckets_init(&c->batch_pushes, batch_bounds, ARRAY_LEN(batch_bounds));
	if (pthread_create(&c->thread, NULL, committer_main, c) != 0) {
		err_set(err, ERR_SYSTEM, 0, "cannot start the committer's thread");
		buckets_done(&c->batch_pushes);
		database_done(&c->database);
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
	buckets_done(&c->batch_pushes);
	database_done(&c->database);
	free(c);
}

bool committer_fails(struct committer *c, struct err *why)
{
	return database_fails(&c->database, why);
}

bool committer_beats(struct committer *c)
{
	uint64_t before = c->batches_seen;

	c->batches_seen = c->batches;
	return c->batches_seen != before || (!c->busy && queue_depth(c->queue) == 0);
}

uint64_t committer_seen(struct committer *c)
{
	return c->database.seen;
}

struct committer_stats committer_stats(struct committer *c)
{
	return (struct committer_stats){
		.commits = c->database.commits,
		.commit_failures = c->database.failures,
		.database_bytes = c->database.bytes,
		.batch_pushes = buckets_read(&c->batch_pushes),
		.commit_seconds = buckets_read(&c->database.commit_seconds),
	};
}
