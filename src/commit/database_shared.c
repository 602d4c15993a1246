/* A log that several gateways write: its lock, and the rows of others. */
#include "base/clock.h"
#include "base/log.h"
#include "commit/database_internal.h"
#include "journal/apply.h"
#include "store/removal.h"

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

/*
 * The store is in the state before the row. -1: the digest differs, and the log has to be loaded.
 */
static int compare_digest(struct database *d, const struct row *row, struct err *err)
{
	int64_t now = clock_mono_ns();
	struct digest ours, theirs;

	if (row_verdict(row) != ROW_INTACT || !row_digest(row, &theirs) ||
	    !store_digest(d->store, &ours) || digest_same(&ours, &theirs))
		return 0;
	d->digests_differ++;
	err_set(err, ERR_STORAGE, 0,
		"before row %llu of the log the state of this gateway was not that of the one that "
		"wrote it: digest %016llx%016llx, and not %016llx%016llx",
		(unsigned long long)row->number, (unsigned long long)ours.state,
		(unsigned long long)ours.shown, (unsigned long long)theirs.state,
		(unsigned long long)theirs.shown);
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

/* Whether the log is still newer than this program: by now it may be an older backup. */
enum storage_health database_look_again(struct database *d, struct err *err)
{
	const struct storage_follower f = { apply_row, end_of_rows, d };

	d->next_rescue_ns = clock_mono_ns() + SECOND_NS;
	d->storage->ops->follow(d->storage, &f, err);
	database_published(d);
	return d->storage->ops->health(d->storage, err);
}

/*
 * Logs once that the epoch has been raised: from now on there may be rows that the previous version
 * does not know.
 */
static void note_epoch(struct database *d)
{
	long epoch = d->storage->ops->epoch ? d->storage->ops->epoch(d->storage) : 0;

	if (d->epoch > 0 && epoch > d->epoch)
		log_info("the schema of the log was migrated: this gateway goes on with its new "
			 "epoch",
			 LOG_NUMBER("from"), log_count((uint64_t)d->epoch).text, LOG_NUMBER("to"),
			 log_count((uint64_t)epoch).text, NULL);
	d->epoch = epoch;
}

void database_published(struct database *d)
{
	if (!d->applier)
		return;
	note_epoch(d);
	/* What a removal has yet to take out is shown, though its row is applied. */
	if (store_removal_pending(d->store))
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

/*
 * Publishes rows of others while it waits. If the log has become another one, it is loaded, once.
 */
int database_begin_within(struct database *d, int64_t longest_ns, struct err *err)
{
	const struct storage_follower f = { apply_row, end_of_rows, d };
	int64_t timeout = d->storage->timeout_ns;
	int64_t since = d->asked_ns && database_timed_out(d) ? d->asked_ns : clock_mono_ns();
	int64_t deadline = since + (timeout < longest_ns ? timeout : longest_ns);
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
		    database_mend(d, err) < 0)
			return -1;
		loaded = true;
	}
}

int database_begin(struct database *d, struct err *err)
{
	int64_t start = clock_mono_ns();
	int r;

	if (!d->applier)
		return 0;
	r = database_begin_within(d, INT64_MAX, err);
	buckets_observe(&d->lock_seconds, (double)(clock_mono_ns() - start) / 1e9);
	if (r == 0)
		return 0;
	d->batches[BATCH_REFUSED]++;
	database_note_unreachable(d, err);
	return -1;
}

bool database_timed_out(const struct database *d)
{
	return d->applier && d->storage->ops->timed_out && d->storage->ops->timed_out(d->storage);
}

void database_cancel(struct database *d)
{
	if (d->applier)
		d->storage->ops->cancel(d->storage);
}

void database_put_digest(struct database *d)
{
	/* While a removal is pending there is none. */
	if (!d->applier || store_removal_pending(d->store) ||
	    !(d->owes_digest || d->storage->ops->digest_due(d->storage)))
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
	    (d->storage->ops->health(d->storage, &err) != STORAGE_CHANGED ||
	     database_mend(d, &err) < 0))
		database_note_unreachable(d, &err);
	database_published(d);
}
