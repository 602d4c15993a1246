#include "commit/database.h"

#include "base/clock.h"
#include "base/log.h"
#include "journal/apply.h"
#include "journal/load.h"
#include "journal/rescue.h"

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
static void set_verdict(struct database *d, const struct err *why)
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

/* A server that is away does not say how large its tables are. */
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

enum storage_commit_result database_commit(struct database *d, const struct rows *rows,
					   const char *failed, struct err *err)
{
	int64_t start = clock_mono_ns();
	enum storage_commit_result r;

	d->commit_ns = 0;
	if (rows->n == 0 && rows->trim == 0) {
		database_cancel(d);
		return STORAGE_COMMITTED;
	}
	r = d->storage->ops->commit(d->storage, rows, err);
	d->commit_ns = clock_mono_ns() - start;
	buckets_observe(&d->commit_seconds, (double)d->commit_ns / 1e9);
	d->commits++;
	/* Costs two stat() calls, so not after every batch. */
	if (d->commits % 64 == 1)
		note_size(d);
	count_batch(d, r);
	if (r != STORAGE_COMMITTED) {
		d->owes_digest |= d->puts_digest;
		/* A full disk is logged once. */
		if (r != STORAGE_REFUSED_FULL || !d->full)
			log_error(failed, "err", err->msg, NULL);
		d->suspect = true;
	}
	d->puts_digest = false;
	if (r == STORAGE_REFUSED_FULL)
		d->full = true;
	/* Rows that the database refuses say nothing of other rows. */
	if (r != STORAGE_REFUSED_ROWS && !(d->full && r == STORAGE_COMMITTED && rows_free(rows)))
		set_verdict(d, r == STORAGE_COMMITTED ? NULL : err);
	return r;
}

enum storage_commit_result database_commit_pushes(struct database *d, const struct rows *rows,
						  struct err *err)
{
	enum storage_commit_result r = database_commit(d, rows, "could not commit pushes", err);

	if (r != STORAGE_COMMITTED)
		d->failures++;
	return r;
}

/* ---- repairing it ---- */

static void log_rescued(struct database *d, enum rescue_result r, const char *kept,
			const struct err *why)
{
	struct log_count groups = log_count(store_counts(d->store).groups);

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

#define SECOND_NS INT64_C(1000000000)

/* Until the next try. */
struct pause {
	int64_t shortest, longest;
};

/* A failure that lasts is logged once a minute. The next try comes the later the longer this took.
 */
static void note_failure(struct database *d, int64_t start, struct pause between,
			 const struct err *err)
{
	int64_t now = clock_mono_ns(), pause = 4 * (now - start);

	if (pause < between.shortest)
		pause = between.shortest;
	d->next_rescue_ns = now + (pause < between.longest ? pause : between.longest);
	if (now < d->next_log_ns)
		return;
	d->next_log_ns = now + 60 * SECOND_NS;
	log_error("the database cannot be used: every push is refused until it can", "err",
		  err->msg, NULL);
}

/* Said once, until it is over. */
static void note_newer(struct database *d, const struct err *why)
{
	d->suspect = true;
	set_verdict(d, why);
	if (!atomic_exchange(&d->newer, true))
		log_error("the database was written by a newer version: nothing is taken or shown "
			  "any more",
			  "err", why->msg, NULL);
}

static bool storage_is_newer(struct database *d, struct err *why)
{
	return d->storage->ops->health(d->storage, why) == STORAGE_NEWER;
}

/* Between two versions that show a log in two ways it would have no end. */
#define DIGEST_PAUSE_NS (600 * SECOND_NS)

/* Which of the two was right the other one sees by what this one has now. */
static void note_mended(struct database *d)
{
	d->differs = false;
	d->owes_digest = true;
	d->next_digest_ns = clock_mono_ns() + DIGEST_PAUSE_NS;
}

/*
 * What is in the log takes the place of what the store has. A storage that has been read takes the
 * store for one that was made of it, though loading may have failed behind that.
 */
static int load_anew(struct database *d, const struct err *why, struct err *err)
{
	/* What is damaged stays so until somebody has mended it, and all of the log is read. */
	static const struct pause damaged = { SECOND_NS, 30 * SECOND_NS };
	static const struct pause other = { 0, SECOND_NS };
	struct store *loaded = store_new_like(d->store, NULL);
	int64_t start = clock_mono_ns();
	enum storage_load_result r = load_store(d->storage, loaded, err);
	struct err newer;
	double now;

	d->outdated = true;
	store_large_drop(d->store);
	if (r != STORAGE_LOADED) {
		store_free(loaded);
		if (r == STORAGE_UNKNOWN_ROWS || storage_is_newer(d, &newer)) {
			d->next_rescue_ns = clock_mono_ns() + damaged.longest;
			note_newer(d, err);
			return -1;
		}
		note_failure(d, start, r == STORAGE_DAMAGED ? damaged : other, err);
		err->reason = ERR_STORAGE;
		err_prefix(err, "the push could not be stored: ");
		/* It is logged, and nobody need say it again. */
		set_verdict(d, err);
		return -1;
	}
	/* Once before anybody sees it, so that no group is shown without its deadline, and once
	 * with the times of the log in place of those that were known before. */
	now = storage_now(d->storage);
	store_begin_waiting(loaded, clock_mono_ns(), now, 0);
	store_take_over(d->store, loaded, now);
	store_begin_waiting(d->store, clock_mono_ns(), now, 0);
	database_published(d);
	d->newer = false;
	d->suspect = d->outdated = false;
	d->next_log_ns = 0;
	if (!d->differs)
		d->histories_lost++;
	else
		note_mended(d);
	log_warn("all groups were loaded from the database again", LOG_NUMBER("groups"),
		 log_count(store_counts(d->store).groups).text, "err", why->msg, NULL);
	return 0;
}

/* What keeps it from being loaded is the verdict still. */
static int put_off_loading(struct database *d, struct err *err)
{
	struct err why;

	if (database_fails(d, &why))
		*err = why;
	err->reason = ERR_STORAGE;
	return -1;
}

static int end_of_rows(void *arg, double now, uint64_t log_bytes, bool failed, struct err *err)
{
	struct database *d = arg;

	uint64_t given = d->given;

	d->given = 0;
	if (applier_end(d->applier, now, log_bytes, failed, err) < 0)
		return -1;
	d->applied += given;
	return 0;
}

/* The state is that before the row. -1: it is not what the other one has, and is to be loaded. */
static int compare_digest(struct database *d, const struct row *row, struct err *err)
{
	int64_t now = clock_mono_ns();
	uint64_t ours, theirs;

	if (row_verdict(row) != ROW_INTACT || !row_digest(row, &theirs) ||
	    !store_digest(d->store, &ours) || ours == theirs)
		return 0;
	d->digests_differ++;
	err_set(err, ERR_STORAGE, 0,
		"before row %llu of the log the state of this gateway was not that of the one that "
		"wrote it: digest %016llx, and not %016llx",
		(unsigned long long)row->number, (unsigned long long)ours,
		(unsigned long long)theirs);
	d->differs = now >= d->next_digest_ns;
	if (d->differs)
		return -1;
	log_error("the state still differs from another gateway's, though it was loaded anew",
		  "err", err->msg, NULL);
	return 0;
}

static int apply_row(void *arg, const struct row *row, struct err *err)
{
	struct database *d = arg;

	if (row->kind == ROW_DIGEST && d->given == 0 && compare_digest(d, row, err) < 0)
		return -1;
	d->given++;
	return applier_row(d->applier, row, err);
}

/* Is the log still newer than this program? It may be an older backup by now. */
static enum storage_health look_again(struct database *d, struct err *err)
{
	const struct storage_follower f = { apply_row, end_of_rows, d };

	d->next_rescue_ns = clock_mono_ns() + SECOND_NS;
	d->storage->ops->follow(d->storage, &f, err);
	database_published(d);
	return d->storage->ops->health(d->storage, err);
}

static int mend(struct database *d, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	int64_t start = clock_mono_ns();
	enum storage_health health = d->storage->ops->health(d->storage, err);
	struct err why = { 0 };
	enum rescue_result r;

	if (health == STORAGE_NEWER && start < d->next_rescue_ns)
		return -1;
	if (health == STORAGE_NEWER)
		health = look_again(d, err);
	if (health == STORAGE_NEWER)
		return -1;

	/* A new file may be in place that numbers its rows otherwise than the store. */
	if (health == STORAGE_WELL && d->unsettled)
		health = STORAGE_DOUBTED;
	if (health == STORAGE_WELL && d->outdated) {
		health = STORAGE_CHANGED;
		err_set(err, ERR_STORAGE, 0, "the log could not be loaded before");
	}
	d->suspect = health != STORAGE_WELL;
	if (!d->suspect) {
		d->newer = false;
		return 0;
	}
	if (start < d->next_rescue_ns && health == STORAGE_CHANGED)
		return put_off_loading(d, err);
	if (start < d->next_rescue_ns)
		return err_set(err, ERR_STORAGE, 0, "the database cannot be used at the moment");
	if (health == STORAGE_CHANGED) {
		why = *err;
		return load_anew(d, &why, err);
	}
	r = rescue(d->storage, d->store, health, &kept, &why, err);
	d->unsettled = r == RESCUE_FAILED;
	if (r == RESCUE_FAILED) {
		note_failure(d, start, (struct pause){ 0, SECOND_NS }, err);
		err->reason = ERR_STORAGE;
		err_prefix(err, "the push could not be stored: ");
		return -1;
	}
	log_rescued(d, r, strbuf_z(&kept), &why);
	d->suspect = false;
	d->next_log_ns = 0;
	return 0;
}

/* ---- what others write ---- */

void database_published(struct database *d)
{
	if (!d->applier)
		return;
	pthread_mutex_lock(&d->verdict_lock);
	d->seen = d->storage->ops->seen(d->storage);
	pthread_mutex_unlock(&d->verdict_lock);
}

struct storage_row_id database_seen(struct database *d)
{
	struct storage_row_id seen;

	pthread_mutex_lock(&d->verdict_lock);
	seen = d->seen;
	pthread_mutex_unlock(&d->verdict_lock);
	return seen;
}

/* What others write is published while it waits. A log that is another one by now is loaded, once.
 */
static int begin(struct database *d, int64_t longest_ns, struct err *err)
{
	const struct storage_follower f = { apply_row, end_of_rows, d };
	int64_t timeout = d->storage->timeout_ns;
	int64_t deadline = clock_mono_ns() + (timeout < longest_ns ? timeout : longest_ns);
	const struct storage_ops *ops = d->storage->ops;
	struct err ignored;
	bool loaded = false;

	for (;;) {
		int r = ops->begin(d->storage, &f, &deadline, &d->now, err);

		database_published(d);
		if (r == 0)
			return 0;
		if (r > 0)
			continue;
		if (loaded || ops->health(d->storage, &ignored) != STORAGE_CHANGED ||
		    mend(d, err) < 0)
			return -1;
		loaded = true;
	}
}

static void note_unreachable(struct database *d, const struct err *why)
{
	struct err before;

	if (storage_is_newer(d, &before)) {
		note_newer(d, &before);
		return;
	}
	d->suspect = true;
	if (!database_fails(d, &before))
		log_error("the database cannot be reached", "err", why->msg, NULL);
	set_verdict(d, why);
}

int database_begin(struct database *d, struct err *err)
{
	int64_t start = clock_mono_ns();
	int r;

	if (!d->applier)
		return 0;
	r = begin(d, INT64_MAX, err);
	buckets_observe(&d->lock_seconds, (double)(clock_mono_ns() - start) / 1e9);
	if (r == 0)
		return 0;
	d->batches[BATCH_REFUSED]++;
	note_unreachable(d, err);
	return -1;
}

void database_cancel(struct database *d)
{
	if (d->applier)
		d->storage->ops->cancel(d->storage);
}

void database_put_digest(struct database *d)
{
	if (!d->applier || !(d->owes_digest || d->storage->ops->digest_due(d->storage)))
		return;
	d->owes_digest = false;
	d->puts_digest = true;
	store_put_digest(d->store);
}

double database_now(const struct database *d)
{
	return d->applier ? d->now : clock_wall();
}

void database_follow(struct database *d)
{
	const struct storage_follower f = { apply_row, end_of_rows, d };
	struct err err;

	if (!d->applier || (d->suspect && database_look_after(d, &err) < 0))
		return;
	if (d->storage->ops->follow(d->storage, &f, &err) < 0 &&
	    (d->storage->ops->health(d->storage, &err) != STORAGE_CHANGED || mend(d, &err) < 0))
		note_unreachable(d, &err);
	database_published(d);
}

/* ---- ---- */

int database_look_after(struct database *d, struct err *err)
{
	if (mend(d, err) == 0)
		return 0;
	set_verdict(d, err);
	return -1;
}

void database_check(struct database *d)
{
	struct err err = { 0 };

	if (database_look_after(d, &err) < 0 || !database_fails(d, &err))
		return;
	/* For a second, as pushes may come. Clients that ask /-/ready do not push now, so no commit
	 * would find out. */
	if ((!d->applier || begin(d, SECOND_NS, &err) == 0) &&
	    d->storage->ops->probe(d->storage, &err) == 0) {
		set_verdict(d, NULL);
		return;
	}
	note_unreachable(d, &err);
}
