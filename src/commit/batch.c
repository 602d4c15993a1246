/* Runs one batch, of any kind: what comes before it, its verdict, and what is learned from it. */
#include "base/clock.h"
#include "commit/cleaning.h"
#include "commit/internal.h"

/* Pushes get the time that the database has for the batch, from which all gateways count. */
void committer_set_times(const struct committer *c, struct push *first)
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

static int commit_wipe(struct committer *c, struct push *push)
{
	struct database *d = &c->database;
	enum storage_commit_result r = STORAGE_REFUSED_OUTDATED;

	for (int i = 0; i < COMMITTER_TRIES && r == STORAGE_REFUSED_OUTDATED; i++) {
		if (i > 0 && committer_begin_alone(c, &push->err) < 0)
			return -1;
		committer_set_times(c, push);
		push->err = (struct err){ 0 };
		r = database_commit_pushes_once(d, store_wipe_rows(c->store, push->now),
						&push->err);
		if (r != STORAGE_COMMITTED)
			store_rollback(c->store);
	}
	if (r == STORAGE_REFUSED_OUTDATED)
		database_note_outdated(d, &push->err);
	return r == STORAGE_COMMITTED ? 0 : -1;
}

static void wipe(struct committer *c, struct push *push)
{
	struct database *d = &c->database;

	if (d->storage && commit_wipe(c, push) < 0)
		return;
	push->n_ended = store_counts(c->store).groups;
	store_wipe(c->store);
	database_published(d);
}

static bool is_alone(const struct push *p)
{
	return p->mode == PUSH_WIPE || p->mode == PUSH_REMOVE || p->mode == PUSH_UNDO ||
	       p->mode == PUSH_BACKUP || p->mode == PUSH_FOLLOW;
}

struct push *committer_cut_batch(const struct committer *c, struct push *first, size_t *ret_n)
{
	struct push *p = first, *next = (struct push *)p->node.next;
	struct batch_room room = committer_room(c);

	*ret_n = 1;
	/* One alone may have more than there is room for. */
	if (!batch_room_take(&room, first))
		room.series = room.bytes = 0;
	while (next && !is_alone(first) && !is_alone(next) && batch_room_take(&room, next)) {
		p = next;
		next = (struct push *)p->node.next;
		++*ret_n;
	}
	p->node.next = NULL;
	return next;
}

/* Sets how many pushes may wait, from how long the batch took. */
static void keep_pace(struct committer *c, size_t n, int64_t queued_ns, int64_t start_ns)
{
	int64_t now = clock_mono_ns();
	const struct pace_batch batch = {
		.n = n,
		.n_waiting = queue_depth(c->queue),
		.waited_ns = start_ns - queued_ns,
		.took_ns = now - start_ns,
		.refused = queue_refused(c->queue),
		.now_ns = now,
	};

	queue_limit(c->queue, pace_limit(&c->pace, &batch));
}

static bool can_join(const struct committer *c, const struct push *p)
{
	return !is_alone(p) && !p->dry_run && !late_is_large(p) && c->late.n == 0;
}

/*
 * Takes pushes into the batch that have come while others had the log's lock, so that batches grow
 * with the wait, which grows with the number of gateways. A push that cannot join the batch, and
 * those behind it, are taken next.
 */
static void take_more(struct committer *c, struct push *first, size_t *n)
{
	struct batch_room room = committer_room(c);
	struct push *last = first, *p;
	size_t taken = 0;

	if (*n >= BATCH_MAX || c->next || c->late.n > 0 || queue_stays_empty(c->queue, 0))
		return;
	p = (struct push *)queue_take(c->queue, BATCH_MAX - *n, &taken);
	batch_room_take(&room, first);
	while (last->node.next) {
		last = (struct push *)last->node.next;
		batch_room_take(&room, last);
	}
	for (; p && can_join(c, p) && batch_room_take(&room, p); taken--, ++*n, c->n_joined++) {
		last->node.next = &p->node;
		last = p;
		p = (struct push *)p->node.next;
	}
	last->node.next = NULL;
	c->next = p;
	c->n_next = taken;
}

static int make_ready(struct committer *c, struct push *first, size_t *n, bool grows,
		      struct err *err)
{
	if (c->database.suspect && database_look_after(&c->database, err) < 0)
		return -1;
	committer_settle(c);
	/* It may have failed. */
	if (c->database.suspect && database_look_after(&c->database, err) < 0)
		return -1;
	if (!is_alone(first))
		cleaning_read_ahead(&c->database, CLEAN_BUSY);
	if ((is_alone(first) ? committer_begin_alone(c, err) : committer_begin(c, err)) < 0)
		return -1;
	if (grows && database_is_shared(&c->database) && !is_alone(first) && !late_is_large(first))
		take_more(c, first, n);
	committer_set_times(c, first);
	return 0;
}

/*
 * When the oldest push of the batch was queued: urgent ones come before others that have waited
 * longer.
 */
static int64_t queued_ns_of(const struct push *batch)
{
	int64_t queued = batch->node.queued_ns;

	for (const struct push *p = batch; p; p = (const struct push *)p->node.next)
		if (p->node.queued_ns < queued)
			queued = p->node.queued_ns;
	return queued;
}

void committer_run_batch(struct committer *c, struct push *first, size_t n, bool grows)
{
	int64_t queued = queued_ns_of(first), start = clock_mono_ns();
	bool large = late_is_large(first);
	struct err err = { 0 };
	bool waits = false;

	c->database.asked_ns = queued;
	if (c->database.suspect || is_alone(first))
		slices_finish(&c->slices);
	if (c->database.suspect || (is_alone(first) && first->mode != PUSH_BACKUP))
		large_steps_give_up(&c->large);
	if (make_ready(c, first, &n, grows, &err) < 0) {
		/* The large push may be in this batch, whose pushes are answered now. */
		large_steps_give_up(&c->large);
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
		first = large_steps_put_off(&c->large, first, &n);
		if (first)
			committer_run_pushes(c, first);
	}
	database_cancel(&c->database);
	c->database.asked_ns = 0;
	if (n > 0)
		buckets_observe(&c->batch_pushes, (double)n);
	while (first && !waits) {
		struct push *p = first;

		first = (struct push *)p->node.next;
		p->done(p);
	}
	if (c->batch_done)
		c->batch_done();
	/* Batches of large pushes and empty ones say nothing about how long others take. */
	if (!large && n > 0)
		keep_pace(c, n, queued, start);
	c->batches++;
}
