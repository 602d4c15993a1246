/* What the committer does while no push comes. */
#include "base/clock.h"
#include "commit/cleaning.h"
#include "commit/internal.h"

enum { IDLE_NS = 5 * 1000 * 1000 };

/* While no push comes, the database's files are checked this often. */
enum { LOOK_NS = 1000 * 1000 * 1000 };

/*
 * While nothing is pushed, the log notes this often that the gateway runs; more rarely if that
 * takes a row.
 */
#define BEAT_NS (10 * INT64_C(1000000000))
#define ROW_BEAT_NS (6 * BEAT_NS)

static bool begin_cleaning(struct committer *c)
{
	struct err ignored;

	cleaning_read_ahead(&c->database, CLEAN_IDLE);
	if (database_timed_out(&c->database))
		return false;
	return committer_begin(c, &ignored) == 0 && cleaning_begin(&c->database, CLEAN_IDLE);
}

/* The short pauses between pushes in quick succession are not used for cleaning. */
void committer_clean(struct committer *c)
{
	struct err err = { 0 };

	while (c->database.storage && store_clean_due(c->store, CLEAN_IDLE) &&
	       committer_is_idle(c, IDLE_NS) && begin_cleaning(c)) {
		/* If this fails, there is nothing to publish. */
		committer_commit(c, true, &err);
		committer_publish(c);
		c->batches++;
	}
	database_cancel(&c->database);
}

static enum storage_commit_result commit_due(struct committer *c, size_t *ret_n)
{
	enum storage_commit_result r;
	struct err err = { 0 };

	if (committer_begin(c, &err) < 0)
		return STORAGE_REFUSED;
	*ret_n = store_stage_due(c->store, clock_mono_ns(), database_now(&c->database), BATCH_MAX);
	r = committer_commit(c, false, &err);
	if (r == STORAGE_COMMITTED)
		committer_publish(c);
	else
		store_rollback(c->store);
	return r;
}

/* Stages and commits what the deadlines of groups ask for; on a full disk at least their ends. */
void committer_do_what_is_due(struct committer *c)
{
	enum storage_commit_result r;
	size_t n = 0;

	c->stuck_at = store_next_due(c->store);
	r = commit_due(c, &n);
	if (r == STORAGE_REFUSED_FULL && store_put_off_sources(c->store, clock_mono_ns()))
		r = commit_due(c, &n);
	/* After a start many have the same deadline: there may be more than this batch. */
	if (r == STORAGE_COMMITTED && n > 0)
		c->stuck_at = 0;
}

/* How long to wait for pushes: until the next deadline of a group, but at most a second, after
 * which the database is checked. A deadline that could not be worked off, or is not while the
 * database cannot be used, is tried again after a second.
 */
static int64_t until_something_else(struct committer *c)
{
	int64_t look = database_is_shared(&c->database) ? c->database.storage->poll_ns : LOOK_NS;
	int64_t due = store_next_due(c->store), ns;

	if (slices_pending(&c->slices) || store_is_untidy(c->store))
		return 0;
	if (due == INT64_MAX)
		return c->database.storage || c->has_rules ? look : INT64_MAX;
	ns = due - clock_mono_ns();
	if (ns > 0)
		return ns < look ? ns : look;
	return c->stuck_at == due || c->database.suspect ? look : 0;
}

/*
 * Writes our digest after the log was loaded because another gateway's differed: one of the two was
 * wrong.
 */
static void tell_digest(struct committer *c)
{
	struct database *d = &c->database;
	struct err err = { 0 };

	if (!d->owes_digest || d->suspect || committer_begin(c, &err) < 0)
		return;
	database_put_digest(d);
	if (database_commit(d, store_rows(c->store), "could not write a digest", &err) ==
	    STORAGE_COMMITTED)
		committer_publish(c);
	else
		store_rollback(c->store);
}

/* False: a row has to be written. Failures are ignored: others notice that the server is away. */
static bool beat_without_row(struct committer *c)
{
	struct err ignored;
	bool done = c->database.storage->ops->beat(c->database.storage, &ignored) <= 0;

	if (done)
		c->beat_ns = clock_mono_ns() + BEAT_NS;
	return done;
}

/*
 * Notes in the log that the gateway runs, from which a start knows how long it was down: deadlines
 * do not run out meanwhile.
 */
void committer_beat(struct committer *c)
{
	struct database *d = &c->database;
	struct err err = { 0 };

	c->beat_ns = clock_mono_ns() + ROW_BEAT_NS;
	if (!d->storage || d->suspect || d->full || store_next_due(c->store) == INT64_MAX)
		return;
	if (d->storage->ops->beat && beat_without_row(c))
		return;
	if (committer_begin(c, &err) < 0)
		return;
	if (database_commit(d, store_beat_rows(c->store, database_now(&c->database)),
			    "could not note that the gateway runs", &err) == STORAGE_COMMITTED)
		committer_publish(c);
	else
		store_rollback(c->store);
}

static void look_around(struct committer *c)
{
	struct database *d = &c->database;

	if (d->full)
		cleaning_make_room(d);
	if (d->storage)
		database_check(d);
	/* Where the check has just failed it would be the same again. */
	if (!d->suspect)
		committer_follow(c);
	if (!d->suspect && store_next_due(c->store) <= clock_mono_ns())
		committer_do_what_is_due(c);
	committer_settle(c);
	committer_show_again(c);
	tell_digest(c);
	if (clock_mono_ns() >= c->beat_ns)
		committer_beat(c);
	committer_follow_rules(c);
}

void committer_wait(struct committer *c)
{
	int64_t ns;

	while ((ns = until_something_else(c)) != INT64_MAX && queue_stays_empty(c->queue, ns)) {
		c->busy = true;
		/* Another gateway may have removed many groups. */
		if (!slices_go_on(&c->slices) && !store_tidy(c->store, COMMITTER_TIDIES))
			look_around(c);
		c->batches++;
		c->busy = false;
	}
}
