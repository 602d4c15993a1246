#include "commit/cleaning.h"

#include "base/clock.h"
#include "base/log.h"
#include "commit/database_internal.h"

static const char cleaning_failed[] = "could not shorten the log of pushes in the database";

static bool look_at_row(void *store, const struct row *row)
{
	return store_clean_look(store, row);
}

static bool needs_row(void *store, const struct row *row)
{
	return store_clean_needs(store, row);
}

static int clean_row(void *store, const struct row *row, struct err *err)
{
	return store_clean_row(store, row, err);
}

static struct storage_cleaner cleaner_of(struct store *store)
{
	return (struct storage_cleaner){ look_at_row, needs_row, clean_row, store };
}

void cleaning_read_ahead(struct database *d, enum clean_when when)
{
	const struct storage_cleaner cleaner = cleaner_of(d->store);
	struct err err;
	uint64_t due;

	if (!d->storage || !d->storage->ops->read_oldest || d->suspect)
		return;
	due = store_clean_due(d->store, when);
	/* Other failures come again where there is time to say them. */
	if (due > 0 && d->storage->ops->read_oldest(d->storage, due, &cleaner, &err) < 0 &&
	    database_timed_out(d))
		database_note_unreachable(d, &err);
}

bool cleaning_begin(struct database *d, enum clean_when when)
{
	uint64_t due;
	const struct storage_cleaner cleaner = cleaner_of(d->store);
	struct err err = { 0 };

	if (!d->storage)
		return false;
	store_undo_forget_old(d->store, database_now(d));
	due = store_clean_due(d->store, when);
	if (due == 0)
		return false;
	if (d->storage->ops->oldest(d->storage, due, &cleaner, &err) == 0) {
		store_clean_rows(d->store);
		return true;
	}
	store_clean_end(d->store, false);
	log_error(cleaning_failed, "err", err.msg, NULL);
	return false;
}

enum storage_commit_result cleaning_commit(struct database *d, struct err *err)
{
	enum storage_commit_result r;
	bool with_pushes;

	const struct rows *rows = store_rows(d->store);

	r = database_commit_once(d, rows, cleaning_failed, err);
	/* Without room for the pushes, the step of cleaning is not to blame. */
	with_pushes = !rows_free(rows);
	if (r != STORAGE_REFUSED_FULL || !(store_clean_put_off(d->store) || with_pushes))
		store_clean_end(d->store, r == STORAGE_COMMITTED);
	return r;
}

/* Ends all undos, whose rows take room that pushes need. */
static void end_undos(struct database *d)
{
	const struct rows *rows;
	struct err err;

	if (!store_can_undo(d->store) || database_begin(d, &err) < 0)
		return;
	rows = store_undone_rows(d->store, NULL, database_now(d));
	if (database_commit(d, rows, "could not note that nothing can be undone any more", &err) !=
	    STORAGE_COMMITTED) {
		store_rollback(d->store);
		return;
	}
	store_undo_end(d->store, NULL);
	database_published(d);
	log_warn("the disk is full: what was deleted in the last ten minutes cannot be undone any "
		 "more",
		 NULL);
}

void cleaning_make_room(struct database *d)
{
	enum { STEPS_MAX = 32 };
	struct err err = { 0 };

	end_undos(d);
	for (int i = 0; i < STEPS_MAX && database_begin(d, &err) == 0; i++) {
		if (!cleaning_begin(d, CLEAN_FULL))
			break;
		if (cleaning_commit(d, &err) != STORAGE_COMMITTED)
			continue;
		store_publish(d->store);
		database_published(d);
	}
	database_cancel(d);
}
