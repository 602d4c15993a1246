#include "commit/slices.h"

void slices_init(struct slices *sl, struct database *d, void (*batch_done)(void))
{
	*sl = (struct slices){ .database = d, .batch_done = batch_done };
}

/*
 * On a full disk room is more important than the undo, for which the removal is committed without
 * its row.
 */
static enum storage_commit_result commit_removal(struct slices *sl, struct push *push)
{
	struct database *d = sl->database;
	enum storage_commit_result r;

	r = database_commit_pushes(d, store_removal_rows(d->store), &push->err);
	if (r != STORAGE_REFUSED_FULL || !push->removal->can_undo)
		return r;
	push->err = (struct err){ 0 };
	push->removal->can_undo = false;
	return database_commit_pushes(d, store_removal_rows_without_undo(d->store), &push->err);
}

/* False: the push has its verdict. True: it gets it with the last slice. */
bool slices_begin_removal(struct slices *sl, struct push *push)
{
	struct database *d = sl->database;
	struct removal *r = push->removal;

	r->can_undo &= d->storage && !d->full;
	if (store_removal_decide(sl->database->store, r, &push->err) < 0 || r->dry_run)
		return false;
	r->can_undo &= r->n > 0;
	if (d->storage && r->n > 0 && commit_removal(sl, push) != STORAGE_COMMITTED) {
		store_removal_drop(sl->database->store);
		return false;
	}
	store_removal_begin(sl->database->store);
	sl->removing = push;
	return true;
}

static void end_removal(struct slices *sl)
{
	struct push *push = sl->removing;

	sl->removing = NULL;
	/* The whole removal is shown by now. */
	database_published(sl->database);
	if (!push)
		return;
	push->done(push);
	if (sl->batch_done)
		sl->batch_done();
}

static bool is_removing(const struct slices *sl)
{
	return sl->removing || store_removal_pending(sl->database->store);
}

static void go_on_removing(struct slices *sl)
{
	store_removal_step(sl->database->store);
	if (!store_removal_pending(sl->database->store))
		end_removal(sl);
}

void slices_finish_removal(struct slices *sl)
{
	while (is_removing(sl))
		go_on_removing(sl);
}

bool slices_begin_undo(struct slices *sl, struct push *push)
{
	struct database *d = sl->database;

	if (!d->storage) {
		err_set(&push->err, ERR_NOT_FOUND, 0, "without a database nothing can be undone");
		return false;
	}
	sl->undoing = undoing_new(push->undo, d->storage, sl->database->store, &push->err);
	sl->undo = sl->undoing ? push : NULL;
	return sl->undo != NULL;
}

static void end_undo(struct slices *sl)
{
	struct push *push = sl->undo;

	undoing_free(sl->undoing);
	sl->undoing = NULL;
	sl->undo = NULL;
	push->done(push);
	if (sl->batch_done)
		sl->batch_done();
}

/* True: it is committed and published. */
static bool commit_undo_batch(struct slices *sl, struct err *err)
{
	if (database_commit_pushes(sl->database, store_rows(sl->database->store), err) ==
	    STORAGE_COMMITTED) {
		store_publish(sl->database->store);
		database_published(sl->database);
		return true;
	}
	store_rollback(sl->database->store);
	return false;
}

static void commit_undone(struct slices *sl, struct err *err)
{
	struct database *d = sl->database;
	const unsigned char *id = sl->undo->undo->id;

	if (database_commit_pushes(d, store_undone_rows(d->store, id, database_now(d)), err) ==
	    STORAGE_COMMITTED) {
		store_undo_end(d->store, id);
		database_published(d);
	} else {
		store_rollback(d->store);
	}
}

/* Rows of others that it applies may remove many groups. */
static int begin_undoing(struct slices *sl, struct err *err)
{
	if (database_begin(sl->database, err) < 0)
		return -1;
	slices_finish_removal(sl);
	return 0;
}

/* True: the undo goes on. Others may write between two steps, but not while something is staged. */
static bool undo_step(struct slices *sl, struct err *err)
{
	switch (undoing_step(sl->undoing, err)) {
	case UNDO_READING:
		return true;
	case UNDO_LOADED:
		return begin_undoing(sl, err) == 0 &&
		       undoing_stage(sl->undoing, database_now(sl->database), err) == 0 &&
		       commit_undo_batch(sl, err);
	case UNDO_DONE:
		/* Nothing came back, so the undo can be tried again. */
		if (sl->undo->undo->restored == 0)
			break;
		if (begin_undoing(sl, err) == 0 && undoing_check(sl->undoing, err) == 0)
			commit_undone(sl, err);
		break;
	case UNDO_FAILED:
		break;
	}
	return false;
}

static void go_on_undoing(struct slices *sl)
{
	bool goes_on = undo_step(sl, &sl->undo->err);

	database_cancel(sl->database);
	if (!goes_on)
		end_undo(sl);
}

/* Gives up an undo because the database cannot be trusted; it can be asked for again. */
static void give_up_undo(struct slices *sl)
{
	err_set(&sl->undo->err, ERR_STORAGE, 0,
		"the database cannot be used at the moment; what is not back yet can still be "
		"undone");
	end_undo(sl);
}

bool slices_pending(const struct slices *sl)
{
	return is_removing(sl) || sl->undo;
}

bool slices_go_on(struct slices *sl)
{
	if (is_removing(sl)) {
		go_on_removing(sl);
		return true;
	}
	if (!sl->undo)
		return false;
	if (sl->database->suspect)
		give_up_undo(sl);
	else
		go_on_undoing(sl);
	return true;
}

void slices_finish(struct slices *sl)
{
	while (slices_go_on(sl))
		;
}
