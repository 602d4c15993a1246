#include "commit/committer.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commit/internal.h"

enum { SLOW_NS = 1000 * 1000, GATHER_MAX_NS = 5 * 1000 * 1000 };

/* Steps of a large push at a time: a few milliseconds. */
enum { STEPS_MAX = 8 };

static const double batch_bounds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 };

int committer_begin(struct committer *c, struct err *err)
{
	return database_begin(&c->database, err);
}

int committer_begin_alone(struct committer *c, struct err *err)
{
	if (database_begin(&c->database, err) < 0)
		return -1;
	slices_finish_removal(&c->slices);
	return 0;
}

void committer_follow(struct committer *c)
{
	if (database_is_shared(&c->database))
		database_follow(&c->database);
}

void committer_publish(struct committer *c)
{
	store_publish(c->store);
	database_published(&c->database);
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

void committer_follow_rules(struct committer *c)
{
	struct group_rules *rules = atomic_exchange(&c->rules, NULL);

	if (rules) {
		large_steps_give_up(&c->large);
		store_use_rules(c->store, rules);
		group_rules_unref(rules);
	}
	c->counting = store_count_labels(c->store);
	c->batches += c->counting;
}

static bool has_steps_left(const struct committer *c)
{
	return slices_pending(&c->slices) || c->copying.push || c->counting ||
	       store_is_untidy(c->store);
}

/* Does one step of everything that takes many. */
static void go_on(struct committer *c)
{
	committer_follow_rules(c);
	c->batches += store_tidy(c->store, COMMITTER_TIDIES);
	c->batches += slices_go_on(&c->slices);
	go_on_copying(c);
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

static struct push *take_next(struct committer *c, size_t *ret_n)
{
	struct push *first = c->next;

	*ret_n = c->n_next;
	c->next = NULL;
	c->n_next = 0;
	return first;
}

/*
 * Waits for pushes and takes them. NULL: only late ones are left, or the queue is closed and empty.
 */
static struct push *take(struct committer *c, size_t *ret_n)
{
	while (has_steps_left(c) && c->late.n == 0 && committer_is_idle(c, 0))
		go_on(c);
	*ret_n = 0;
	/* Late pushes take memory beside that of the queue, so their number is limited. */
	if (late_is_full(&c->late) || (c->late.n > 0 && committer_is_idle(c, 0)))
		return NULL;
	if (c->next)
		return take_next(c, ret_n);
	if (c->late.n == 0)
		committer_wait(c);
	return (struct push *)queue_take(c->queue, BATCH_MAX, ret_n);
}

static void run_follow(struct committer *c, struct push *push)
{
	committer_follow(c);
	push->done(push);
	if (c->batch_done)
		c->batch_done();
	c->batches++;
}

static void run_one(struct committer *c, struct push *first, size_t n, bool grows)
{
	if (first->mode == PUSH_FOLLOW)
		run_follow(c, first);
	else
		committer_run_batch(c, first, n, grows);
}

static void run_list(struct committer *c, struct push *first)
{
	size_t n;

	while (first) {
		struct push *rest = committer_cut_batch(c, first, &n);

		run_one(c, first, n, !rest);
		go_on(c);
		first = rest;
	}
}

/*
 * Applies rows of others while these can go on writing, so that few are left for the time with the
 * lock. False: the large push has to begin again because of them.
 */
static bool is_still_staged(struct committer *c)
{
	bool was = store_large_push(c->store) != NULL;

	if (was)
		committer_follow(c);
	return !was || store_large_push(c->store);
}

/* False: no step is left to do, or none can be done now. */
static bool step_large(struct committer *c)
{
	if (c->database.suspect ||
	    (!large_steps_go_on(&c->large, !slices_pending(&c->slices)) && is_still_staged(c)))
		return false;
	/* Each step frees as much as it makes. */
	store_tidy(c->store, COMMITTER_TIDIES);
	c->batches++;
	return true;
}

/*
 * Does steps of the first late push, if it is large, for up to half as long as the last batch took:
 * on a disk with slow syncs one step for each batch would take minutes. Otherwise runs the next
 * batch of late pushes.
 */
static void go_on_late(struct committer *c, int64_t others_ns)
{
	int64_t until = clock_mono_ns() + others_ns / 2;
	struct push *first;
	size_t n;

	for (int steps = 1; step_large(c); steps++)
		if (steps == STEPS_MAX || clock_mono_ns() >= until)
			return;
	first = late_take(&c->late, BATCH_MAX, &n);
	first = committer_answer_dry_runs(c, first, true);
	while (first) {
		struct push *rest = committer_cut_batch(c, first, &n);

		run_one(c, first, n, false);
		first = rest;
	}
	large_steps_done(&c->large);
	/* The large push has been answered. */
	assert(!store_large_push(c->store));
}

/*
 * Removes groups for up to half as long as the last batch took: on a disk with slow syncs one slice
 * for each batch would take minutes, and others wait until all is shown.
 */
static void go_on_removing(struct committer *c, int64_t others_ns, bool went_on)
{
	int64_t until = clock_mono_ns() + others_ns / 2;

	/* A step of an undo may take long: no two without a batch between them. */
	if (!went_on || !c->slices.undo)
		go_on(c);
	while (database_is_shared(&c->database) && store_removal_pending(c->store) &&
	       clock_mono_ns() < until)
		c->batches += slices_go_on(&c->slices);
}

static void *committer_main(void *arg)
{
	struct committer *c = arg;
	struct push *first;
	size_t taken;
	int64_t start;
	bool ran;

	/* The previous process, or an import, may have left a long log. */
	c->busy = true;
	committer_clean(c);
	c->busy = false;
	while ((first = take(c, &taken)) || c->late.n > 0) {
		c->busy = true;
		c->n_joined = 0;
		start = clock_mono_ns();
		committer_follow_rules(c);
		first = committer_answer_dry_runs(c, first, false);
		first = late_sort(&c->late, first);
		ran = first != NULL;
		run_list(c, first);
		go_on_late(c, clock_mono_ns() - start);
		go_on_removing(c, clock_mono_ns() - start, ran);
		committer_show_again(c);
		if (c->late.n == 0) {
			gather(c, taken + c->n_joined);
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
	large_steps_init(&c->large, store, &c->late, committer_max_body(c));
	slices_init(&c->slices, &c->database, batch_done);
	buckets_init(&c->batch_pushes, batch_bounds, ARRAY_LEN(batch_bounds));
	/* A start that is ready has shown what can be. */
	committer_settle(c);
	committer_show_again(c);
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
	group_rules_unref(c->rules);
	free(c);
}

void committer_use_rules(struct committer *c, struct group_rules *rules)
{
	c->has_rules = true;
	group_rules_unref(atomic_exchange(&c->rules, group_rules_ref(rules)));
}

bool committer_fails(struct committer *c, struct err *why)
{
	return database_fails(&c->database, why);
}

bool committer_is_outgrown(struct committer *c)
{
	return database_is_newer(&c->database);
}

bool committer_beats(struct committer *c)
{
	uint64_t before = c->batches_seen;

	c->batches_seen = c->batches;
	return c->batches_seen != before || (!c->busy && queue_depth(c->queue) == 0);
}

struct storage_row_id committer_seen(struct committer *c)
{
	return database_seen(&c->database);
}

struct committer_stats committer_stats(struct committer *c)
{
	return (struct committer_stats){
		.commits = c->database.commits,
		.commit_failures = c->database.failures,
		.database_bytes = c->database.bytes,
		.batch_pushes = buckets_read(&c->batch_pushes),
		.commit_seconds = buckets_read(&c->database.commit_seconds),
		.batches_committed = c->database.batches[BATCH_COMMITTED],
		.batches_refused = c->database.batches[BATCH_REFUSED],
		.batches_unknown = c->database.batches[BATCH_UNKNOWN],
		.rows_applied = c->database.applied,
		.histories_lost = c->database.histories_lost,
		.digests_differ = c->database.digests_differ,
		.lock_seconds = buckets_read(&c->database.lock_seconds),
	};
}
