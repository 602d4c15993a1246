/* Transactions, and the verdict on the last one. */
#include "base/clock.h"
#include "base/log.h"
#include "commit/database_internal.h"
#include "journal/apply.h"

static const double commit_bounds[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
					0.01,   0.025,   0.05,   0.1,   0.25,   1 };

void database_init(struct database *d, struct storage *storage, struct store *store)
{
	*d = (struct database){ .storage = storage, .store = store };
	pthread_mutex_init(&d->verdict_lock, NULL);
	buckets_init(&d->commit_seconds, commit_bounds, ARRAY_LEN(commit_bounds));
	buckets_init(&d->lock_seconds, commit_bounds, ARRAY_LEN(commit_bounds));
	if (!storage)
		return;
	d->bytes = storage->ops->bytes(storage);
	if (storage->ops->begin) {
		d->applier = applier_new(store);
		database_published(d);
	}
}

void database_done(struct database *d)
{
	applier_free(d->applier);
	pthread_mutex_destroy(&d->verdict_lock);
	buckets_done(&d->commit_seconds);
	buckets_done(&d->lock_seconds);
}

/* why: NULL after a commit that succeeded. */
void database_set_verdict(struct database *d, const struct err *why)
{
	bool before;

	pthread_mutex_lock(&d->verdict_lock);
	before = d->fails;
	d->fails = why != NULL;
	if (why)
		d->why = *why;
	pthread_mutex_unlock(&d->verdict_lock);
	if (!why)
		d->full = false;
	if (before && !why)
		log_info("the database takes pushes again", NULL);
}

bool database_fails(struct database *d, struct err *why)
{
	bool fails;

	pthread_mutex_lock(&d->verdict_lock);
	fails = d->fails;
	if (fails)
		*why = d->why;
	pthread_mutex_unlock(&d->verdict_lock);
	return fails;
}

/* Keeps the last size if the database cannot say how large it is. */
static void note_size(struct database *d)
{
	uint64_t bytes = d->storage->ops->bytes(d->storage);

	if (bytes > 0)
		d->bytes = bytes;
}

static void count_batch(struct database *d, enum storage_commit_result r)
{
	d->batches[r == STORAGE_COMMITTED ? BATCH_COMMITTED
		   : r == STORAGE_UNKNOWN ? BATCH_UNKNOWN
					  : BATCH_REFUSED]++;
}

/*
 * Why the pushes that come next are refused. Nothing of theirs is stored, whatever became of the
 * batch.
 */
static struct err verdict_of(enum storage_commit_result r, const struct err *err)
{
	struct str msg = str_of(err->msg), maybe = STR(STORAGE_MAYBE);
	struct err why = *err;

	if (r == STORAGE_UNKNOWN && str_has_prefix(msg, maybe))
		err_set(&why, ERR_STORAGE, 0,
			"the push could not be stored: it is not known yet whether an earlier one "
			"was: %s",
			msg.p + maybe.n);
	return why;
}

/* Once for what is committed, or will not be. */
static void note_result(struct database *d, const struct rows *rows, enum storage_commit_result r,
			const char *failed, const struct err *err)
{
	const struct err why = verdict_of(r, err);

	count_batch(d, r);
	if (r != STORAGE_COMMITTED) {
		/* A full disk is logged once. */
		if (r != STORAGE_REFUSED_FULL || !d->full)
			log_error(failed, "err", err->msg, NULL);
		d->suspect = true;
	}
	if (r == STORAGE_REFUSED_FULL)
		d->full = true;
	/*
	 * Rows that the database refuses say nothing about other rows, nor do rows that free space
	 * on a full disk.
	 */
	if (r != STORAGE_REFUSED_ROWS && !(d->full && r == STORAGE_COMMITTED && rows_free(rows)))
		database_set_verdict(d, r == STORAGE_COMMITTED ? NULL : &why);
}

static enum storage_commit_result commit_rows(struct database *d, const struct rows *rows,
					      struct err *err)
{
	int64_t start = clock_mono_ns();
	enum storage_commit_result r;

	r = d->storage->ops->commit(d->storage, rows, err);
	d->commit_ns = clock_mono_ns() - start;
	buckets_observe(&d->commit_seconds, (double)d->commit_ns / 1e9);
	d->commits++;
	/* Costs two stat() calls, so not after every batch. */
	if (d->commits % 64 == 1)
		note_size(d);
	if (r != STORAGE_COMMITTED)
		d->owes_digest |= d->puts_digest;
	d->puts_digest = false;
	return r;
}

enum storage_commit_result database_commit_once(struct database *d, const struct rows *rows,
						const char *failed, struct err *err)
{
	enum storage_commit_result r = STORAGE_COMMITTED;

	d->commit_ns = 0;
	if (rows->n == 0 && rows->trim == 0) {
		database_cancel(d);
		return r;
	}
	r = commit_rows(d, rows, err);
	if (r != STORAGE_REFUSED_OUTDATED)
		note_result(d, rows, r, failed, err);
	return r;
}

enum storage_commit_result database_commit(struct database *d, const struct rows *rows,
					   const char *failed, struct err *err)
{
	enum storage_commit_result r = database_commit_once(d, rows, failed, err);

	if (r == STORAGE_REFUSED_OUTDATED)
		note_result(d, rows, r, failed, err);
	return r;
}

static const char no_pushes[] = "could not commit pushes";

enum storage_commit_result database_commit_pushes_once(struct database *d, const struct rows *rows,
						       struct err *err)
{
	enum storage_commit_result r = database_commit_once(d, rows, no_pushes, err);

	if (r != STORAGE_COMMITTED && r != STORAGE_REFUSED_OUTDATED)
		d->failures++;
	return r;
}

void database_note_outdated(struct database *d, const struct err *why)
{
	const struct rows none = { .list = NULL };

	note_result(d, &none, STORAGE_REFUSED_OUTDATED, no_pushes, why);
	d->failures++;
}

enum storage_commit_result database_commit_pushes(struct database *d, const struct rows *rows,
						  struct err *err)
{
	enum storage_commit_result r = database_commit(d, rows, no_pushes, err);

	if (r != STORAGE_COMMITTED)
		d->failures++;
	return r;
}

/* Logged once, until the log is no longer newer. */
void database_note_newer(struct database *d, const struct err *why)
{
	d->suspect = true;
	database_set_verdict(d, why);
	if (!atomic_exchange(&d->newer, true))
		log_error("the database was written by a newer version: nothing is taken or shown "
			  "any more",
			  "err", why->msg, NULL);
}

bool database_storage_is_newer(struct database *d, struct err *why)
{
	return d->storage->ops->health(d->storage, why) == STORAGE_NEWER;
}

void database_note_unreachable(struct database *d, const struct err *why)
{
	struct err before;

	if (database_storage_is_newer(d, &before)) {
		database_note_newer(d, &before);
		return;
	}
	d->suspect = true;
	if (!database_fails(d, &before))
		log_error("the database cannot be reached", "err", why->msg, NULL);
	database_set_verdict(d, why);
}

int database_look_after(struct database *d, struct err *err)
{
	if (database_mend(d, err) == 0)
		return 0;
	database_set_verdict(d, err);
	return -1;
}

void database_check(struct database *d)
{
	struct err err = { 0 };

	if (database_look_after(d, &err) < 0 || !database_fails(d, &err))
		return;
	/*
	 * Clients that wait for /-/ready do not push, so no commit would find out. Takes a second
	 * at most, since pushes may come.
	 */
	if ((!d->applier || database_begin_within(d, SECOND_NS, &err) == 0) &&
	    d->storage->ops->probe(d->storage, &err) == 0) {
		database_set_verdict(d, NULL);
		return;
	}
	database_note_unreachable(d, &err);
}
