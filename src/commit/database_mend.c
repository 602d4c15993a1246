/*
 * Repairs a database that cannot be trusted any more: reads it back, writes it anew, or loads it
 * into the store.
 */
#include "base/clock.h"
#include "base/log.h"
#include "commit/database_internal.h"
#include "journal/load.h"
#include "journal/rescue.h"
#include "store/removal.h"

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

/* Nanoseconds until the next try. */
struct pause {
	int64_t shortest, longest;
};

/*
 * A failure that lasts is logged once a minute. The longer a try took, the later the next one
 * comes.
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

/*
 * Between two loads for a digest: two versions that understand a log differently would load it
 * again and again.
 */
#define DIGEST_PAUSE_NS (600 * SECOND_NS)

/* The next digest tells the other gateway whether it was right. */
static void note_mended(struct database *d)
{
	d->differs = false;
	d->owes_digest = true;
	d->next_digest_ns = clock_mono_ns() + DIGEST_PAUSE_NS;
}

/*
 * Loads the log in place of the store's content. After reading, the storage takes the store for the
 * one that was loaded, though loading may have failed afterwards: `outdated` tells.
 */
static int load_anew(struct database *d, const struct err *why, struct err *err)
{
	/*
	 * Damage stays until somebody repairs it, and each try reads all of the log, so tries are
	 * rare.
	 */
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
		if (r == STORAGE_UNKNOWN_ROWS || database_storage_is_newer(d, &newer)) {
			d->next_rescue_ns = clock_mono_ns() + damaged.longest;
			database_note_newer(d, err);
			return -1;
		}
		note_failure(d, start, r == STORAGE_DAMAGED ? damaged : other, err);
		err->reason = ERR_STORAGE;
		err_prefix(err, "the push could not be stored: ");
		/* The failure is logged, so the caller need not log it again. */
		database_set_verdict(d, err);
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

/* The verdict still says why the log could not be loaded. */
static int put_off_loading(struct database *d, struct err *err)
{
	struct err why;

	if (database_fails(d, &why))
		*err = why;
	err->reason = ERR_STORAGE;
	return -1;
}

int database_mend(struct database *d, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	int64_t start = clock_mono_ns();
	enum storage_health health = d->storage->ops->health(d->storage, err);
	struct err why = { 0 };
	enum rescue_result r;

	if (health == STORAGE_NEWER && start < d->next_rescue_ns)
		return -1;
	if (health == STORAGE_NEWER)
		health = database_look_again(d, err);
	if (health == STORAGE_NEWER)
		return -1;

	/* A new file may be in place, with other row numbers than the store's. */
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
	store_removal_finish(d->store);
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
