/* Runs a batch of pushes, and what is tried when the database refuses it. */
#include "base/clock.h"
#include "commit/cleaning.h"
#include "commit/internal.h"
#include "merge/said.h"
#include "store/large.h"

void committer_refuse(struct push *first, const struct err *why)
{
	for (struct push *p = first; p; p = (struct push *)p->node.next)
		if (!p->err.reason)
			p->err = *why;
}

/* cleaning: cleaning_begin() has added rows to the batch; without them it is tried once more. */
static enum storage_commit_result commit_once(struct committer *c, bool cleaning, struct err *err)
{
	struct database *d = &c->database;
	enum storage_commit_result r;

	if (!d->storage)
		return STORAGE_COMMITTED;
	if (cleaning) {
		r = cleaning_commit(d, err);
		/*
		 * A batch that may be stored must not be tried again: a second try cannot refuse it
		 * any more.
		 */
		if (r == STORAGE_UNKNOWN)
			d->failures++;
		if (r == STORAGE_COMMITTED || r == STORAGE_UNKNOWN || r == STORAGE_REFUSED_OUTDATED)
			return r;
	}
	return database_commit_pushes_once(d, store_rows(c->store), err);
}

enum storage_commit_result committer_commit(struct committer *c, bool cleaning, struct err *err)
{
	enum storage_commit_result r = commit_once(c, cleaning, err);

	if (r == STORAGE_REFUSED_OUTDATED)
		database_note_outdated(&c->database, err);
	return r;
}

uint64_t committer_max_body(const struct committer *c)
{
	return c->database.storage ? c->database.storage->max_body : UINT64_MAX;
}

/* Series as pushers count them: each line of a histogram or summary is one. */
static uint64_t series_of(const struct push *p)
{
	enum { INF_SUM_COUNT = 3 };
	uint64_t n = 0;

	for (uint32_t i = 0; i < p->n_families; i++)
		n += p->families[i].n_lines;
	for (uint32_t i = 0; p->said && i < p->said->n; i++) {
		const struct said_family *f = &p->said->families[i];

		for (uint32_t j = 0; j < f->n; j++) {
			const struct said_dist *dist = f->metrics[j].dist;

			n += dist ? dist->n + INF_SUM_COUNT : 1;
		}
	}
	return n;
}

static uint64_t each_second(const struct committer *c, uint64_t n)
{
	return (uint64_t)c->database.storage->timeout_ns / 1000 * n / 1000000;
}

struct batch_room committer_room(const struct committer *c)
{
	if (!database_is_shared(&c->database))
		return (struct batch_room){ 0 };
	return (struct batch_room){
		.limited = true,
		.series = each_second(c, COMMITTER_SERIES_PER_SECOND),
		.bytes = each_second(c, COMMITTER_BYTES_PER_SECOND),
	};
}

bool batch_room_take(struct batch_room *room, const struct push *p)
{
	uint64_t n;

	if (!room->limited)
		return true;
	n = series_of(p);
	if (n > room->series || p->body.n > room->bytes)
		return false;
	room->series -= n;
	room->bytes -= p->body.n;
	return true;
}

static bool goes_in_steps(const struct committer *c, const struct push *p)
{
	return late_is_large(p) && store_large_any(c->store);
}

/*
 * -1: staged at once, with the lock of a log that several gateways write, the push would take more
 * than a quarter of the time-out; p->err says what to do.
 */
static int check_series(const struct committer *c, struct push *p)
{
	uint64_t n, max;

	if (!database_is_shared(&c->database) || goes_in_steps(c, p))
		return 0;
	n = series_of(p);
	max = each_second(c, COMMITTER_SERIES_PER_SECOND);
	if (n <= max)
		return 0;
	return err_set(
		&p->err, ERR_TOO_LARGE, 0,
		"the push has %llu series, and a gateway that shares its database with others "
		"stores at most %llu at once (%d for each second of --persistence.timeout): push "
		"some of its families at a time, with POST, or spread it over several groups%s",
		(unsigned long long)n, (unsigned long long)max, COMMITTER_SERIES_PER_SECOND,
		p->said || late_is_large(p) ? ""
					    : "; a push of 2000 families or more is stored in "
					      "steps, without that limit");
}

/* A push too large for any transaction is refused here. */
void committer_stage(struct committer *c, struct push *p)
{
	uint64_t max = committer_max_body(c);

	if (p->body.n > max)
		err_set(&p->err, ERR_TOO_LARGE, 0,
			"the push is larger than the database can take: %llu bytes of at most %llu",
			(unsigned long long)p->body.n, (unsigned long long)max);
	else if (check_series(c, p) == 0)
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
		if (committer_begin_alone(c, &err) == 0) {
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

/* Stages the deletes from `first` on, or that one alone. */
static void stage_deletes(struct committer *c, struct push *first, const bool *was_refused,
			  bool alone)
{
	store_stage_due(c->store, clock_mono_ns(), database_now(&c->database), BATCH_MAX);
	for (struct push *p = first; p; p = alone ? NULL : (struct push *)p->node.next) {
		if (!*was_refused++)
			p->err = (struct err){ 0 };
		if (p->mode == PUSH_DELETE)
			committer_stage(c, p);
	}
}

static enum storage_commit_result commit_deletes(struct committer *c, struct push *first,
						 const bool *was_refused, bool alone,
						 struct err *err)
{
	enum storage_commit_result r;

	if (committer_begin_alone(c, err) < 0)
		return STORAGE_REFUSED;
	stage_deletes(c, first, was_refused, alone);
	r = committer_commit(c, false, err);
	if (r == STORAGE_COMMITTED)
		committer_publish(c);
	else
		store_rollback(c->store);
	return r;
}

/*
 * On a full disk: refuses pushes that take room. Deletes free some, but one of a source of a summed
 * group may take some, too: then each is tried by itself.
 */
static void run_deletes(struct committer *c, struct push *first, const bool *was_refused,
			const struct err *why)
{
	struct err err = { 0 };
	enum storage_commit_result r = commit_deletes(c, first, was_refused, false, &err);
	bool by_itself = r == STORAGE_REFUSED_FULL && first->node.next;

	for (struct push *p = first; p; p = (struct push *)p->node.next, was_refused++) {
		if (p->mode != PUSH_DELETE) {
			if (!p->err.reason)
				p->err = *why;
		} else if (by_itself) {
			if (commit_deletes(c, p, was_refused, true, &err) != STORAGE_COMMITTED &&
			    !p->err.reason)
				p->err = err;
		} else if (r != STORAGE_COMMITTED && !p->err.reason) {
			p->err = err;
		}
	}
}

static size_t stage_each(struct committer *c, struct push *first, const bool *was_refused)
{
	size_t n = 0;

	store_stage_due(c->store, clock_mono_ns(), database_now(&c->database), BATCH_MAX);
	for (struct push *p = first; p; p = (struct push *)p->node.next) {
		if (!was_refused[n++])
			p->err = (struct err){ 0 };
		store_look_ahead_batch(c->store, p);
		committer_stage(c, p);
	}
	return n;
}

static bool refuses_some(const struct push *first, const bool *was_refused)
{
	for (const struct push *p = first; p; p = (const struct push *)p->node.next)
		if (!*was_refused++ && p->err.reason)
			return true;
	return false;
}

/*
 * Stages all, and returns how many there are. What an earlier staging has found is forgotten. In a
 * log that several gateways write, all have to give the same verdict. Groups that are still to go
 * may be the reason for a refusal, so they go first.
 */
static size_t stage_all(struct committer *c, struct push *first, const bool *was_refused)
{
	size_t n = stage_each(c, first, was_refused);

	if (!database_is_shared(&c->database) || !store_removal_pending(c->store) ||
	    !refuses_some(first, was_refused))
		return n;
	store_rollback(c->store);
	slices_finish_removal(&c->slices);
	return stage_each(c, first, was_refused);
}

static void note_refused(const struct push *first, bool was_refused[BATCH_MAX])
{
	for (const struct push *p = first; p; p = (const struct push *)p->node.next)
		*was_refused++ = p->err.reason != ERR_NONE;
}

/*
 * Others have written since they were staged: on what these have written they are staged again. A
 * large push, which is staged in steps, would keep others from writing for too long.
 */
static enum storage_commit_result try_again(struct committer *c, struct push *first,
					    const bool *was_refused, struct err *err)
{
	enum storage_commit_result r = STORAGE_REFUSED_OUTDATED;
	bool large = late_is_large(first);

	for (int i = 1; i < COMMITTER_TRIES && r == STORAGE_REFUSED_OUTDATED && !large; i++) {
		store_rollback(c->store);
		if (committer_begin(c, err) < 0)
			return STORAGE_REFUSED;
		committer_set_times(c, first);
		stage_all(c, first, was_refused);
		r = commit_once(c, false, err);
	}
	if (r == STORAGE_REFUSED_OUTDATED)
		database_note_outdated(&c->database, err);
	return r;
}

/* On a full disk, what is due for sources is not in the way of pushes for which there is room. */
static enum storage_commit_result without_sources(struct committer *c, struct push *first,
						  const bool *was_refused, struct err *err)
{
	store_rollback(c->store);
	if (!store_put_off_sources(c->store, clock_mono_ns()) || committer_begin(c, err) < 0)
		return STORAGE_REFUSED_FULL;
	stage_all(c, first, was_refused);
	return committer_commit(c, false, err);
}

void committer_run_pushes(struct committer *c, struct push *first)
{
	bool was_refused[BATCH_MAX] = { false };
	enum storage_commit_result r;
	struct err err = { 0 };
	size_t n;

	note_refused(first, was_refused);
	database_put_digest(&c->database);

	bool cleaning = cleaning_begin(&c->database, CLEAN_BUSY);

	if (store_large_push(c->store) == first) {
		store_large_end(c->store);
		n = 1;
	} else {
		n = stage_all(c, first, was_refused);
	}
	r = commit_once(c, cleaning, &err);
	if (r == STORAGE_REFUSED_OUTDATED)
		r = try_again(c, first, was_refused, &err);
	if (r == STORAGE_REFUSED_FULL)
		r = without_sources(c, first, was_refused, &err);
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
