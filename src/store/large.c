#include "store/large.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/change_index.h"
#include "store/lifetime.h"
#include "store/stored_bytes.h"

/*
 * The order is that of change_apply(): first all entries that go leave the index, then the new ones
 * enter it. TAKE and OUT are skipped if no series goes. If the push is refused, the same steps are
 * taken back in reverse.
 */
enum phase {
	PUT,  /* a pair for each family that was pushed */
	TAKE, /* of a PUT: a pair for each other entry of the group; at: a place in the table of the
		 group's entries */
	OUT,
	IN,
	LOOK_BACK, /* looks which families are idle: most new ones no longer are */
	BACK_IN,   /* at: pairs that are still in the index */
	BACK_OUT,
	FORGET,
	READY,
};

/* Exchanges the batch of the large push and that of other pushes, which do not see one another. */
static void swap_batches(struct store *s)
{
	const struct batch others = {
		.touched = s->touched,
		.last_touched = s->last_touched,
		.steps = s->steps,
		.n_steps = s->n_steps,
		.cap_steps = s->cap_steps,
		.was_newest = s->was_newest,
		.n_was_newest = s->n_was_newest,
		.cap_was_newest = s->cap_was_newest,
	};
	const struct batch *own = &s->large.batch;

	s->touched = own->touched;
	s->last_touched = own->last_touched;
	s->steps = own->steps;
	s->n_steps = own->n_steps;
	s->cap_steps = own->cap_steps;
	s->was_newest = own->was_newest;
	s->n_was_newest = own->n_was_newest;
	s->cap_was_newest = own->cap_was_newest;
	s->large.batch = others;
}

static bool is_plain(const struct push *push)
{
	return (push->mode == PUSH_PUT || push->mode == PUSH_POST) && !push->said &&
	       push->err.reason == ERR_NONE;
}

/* Whether something is due for the group, which would have to be staged first. */
static bool is_due(const struct group *g)
{
	return g->life && g->life->due_ns <= clock_mono_ns();
}

/*
 * Limits of rules compare staged counts with those before the push, which batches of others would
 * change in between.
 */
bool store_large_any(const struct store *s)
{
	return !limits_any(s);
}

bool store_large_begin(struct store *s, struct push *push)
{
	struct group *g = store_group_find(s, push->key, push->key_hash);
	uint64_t bytes = s->staged_bytes;

	if (!is_plain(push) || s->large.push || store_removal_pending(s) || s->undo.reading ||
	    (g && (g->summed || is_due(g))))
		return false;
	if (!store_large_any(s))
		return false;
	if (!g && store_make_group(s, &g, push) < 0) {
		push->err = (struct err){ 0 };
		return false;
	}
	bytes = s->staged_bytes - bytes;
	change_begin(s, g);
	g->staged->labels = &push->labels;
	g->staged->hides_others = push->hides_others;
	s->large.push = push;
	s->large.group = g;
	s->large.n_bytes = (int64_t)bytes;
	s->large.record = record_new(push, g);
	s->large.phase = PUT;
	swap_batches(s);
	return true;
}

const struct push *store_large_push(const struct store *s)
{
	return s->large.push;
}

bool store_large_meets(const struct store *s, const struct row *row)
{
	const struct large_at_hand *l = &s->large;

	if (!l->push || row->from)
		return false;
	switch (row->kind) {
	case ROW_GROUP:
		return str_eq(row->body, l->push->key);
	case ROW_WIPE:
	case ROW_TAKE:
		return true;
	case ROW_END:
		return row->group == 0 || row->group == l->group->id;
	default:
		return row->group != 0 && row->group == l->group->id;
	}
}

bool store_large_fits(const struct store *s)
{
	const struct large_at_hand *l = &s->large;

	if (!l->push)
		return true;
	if (!l->group->exists && s->staged_groups > s->lim.max_groups)
		return false;
	/* A new group adds two series of its own. */
	if ((!l->group->exists || l->n_series > 0) && s->staged_series > s->lim.max_series)
		return false;
	return l->n_bytes <= 0 || stored_bytes(s) <= s->lim.max_bytes;
}

bool store_large_is_in_the_way(struct store *s, struct push *push)
{
	bool was_refused = push->err.reason != ERR_NONE;

	s->large.in_the_way = false;
	store_stage(s, push);
	return s->large.in_the_way || (push->err.reason && !was_refused);
}

static void go_to(struct large_at_hand *l, enum phase phase, uint32_t at)
{
	l->phase = phase;
	l->at = at;
}

static void put(struct store *s, uint32_t n)
{
	struct large_at_hand *l = &s->large;
	struct group *g = l->group;

	for (; n > 0 && l->at < l->push->n_families; n--, l->at++) {
		store_look_ahead(s, g, l->push, l->at);
		large_put(s, g, l->record, &l->push->families[l->at]);
	}
	if (l->at < l->push->n_families)
		return;
	if (l->push->mode == PUSH_PUT && g->staged->net.n_out < g->entries.n)
		go_to(l, TAKE, 0);
	else
		go_to(l, l->n_going ? OUT : IN, 0);
}

static void take(struct store *s, uint32_t n)
{
	struct large_at_hand *l = &s->large;
	const struct entry_table *t = &l->group->entries;

	for (; n > 0 && l->at < t->cap; n--, l->at++)
		if (entries_at(t, l->at))
			large_take(s, l->group, entries_at(t, l->at));
	if (l->at == t->cap)
		go_to(l, l->n_going ? OUT : IN, 0);
}

static void leave_index(struct store *s, uint32_t n)
{
	struct large_at_hand *l = &s->large;

	for (; n > 0 && l->at < l->group->staged->net.n; n--)
		large_index_out(s, l->group, l->at++);
	l->n_gone = l->at;
	if (l->at == l->group->staged->net.n)
		go_to(l, IN, 0);
}

static void refuse(struct large_at_hand *l, uint32_t n_indexed)
{
	go_to(l, BACK_IN, n_indexed);
}

/* Fetches what later pairs need into the cache; for nearer pairs the lines, too. */
static void look_at_pair(const struct store *s, const struct change *net, uint32_t i)
{
	enum { REST = 8 };

	change_fetch_ahead(s, net, i);
	if (i + REST < net->n && net->pairs[i + REST].in) {
		const struct lines *l = &store_entry(s, net->pairs[i + REST].in)->lines;

		if (!l->has_more)
			series_index_prefetch(&s->index, l->hash);
	}
}

static void enter_index(struct store *s, uint32_t n)
{
	struct large_at_hand *l = &s->large;
	const struct change *net = &l->group->staged->net;
	uint64_t before = s->staged_series, bytes = stored_bytes(s);

	for (; n > 0 && l->at < net->n; n--, l->at++) {
		look_at_pair(s, net, l->at);
		if (large_index_in(s, l->group, l->at, &l->push->err) < 0) {
			refuse(l, l->at);
			return;
		}
	}
	if (l->at < net->n)
		return;
	before -= (uint64_t)l->n_series;
	bytes -= (uint64_t)l->n_bytes;
	if (store_check_series_limit(s, before, &l->push->err) < 0 ||
	    stored_bytes_check(s, l->group, bytes, false, &l->push->err) < 0)
		refuse(l, net->n);
	else
		go_to(l, LOOK_BACK, 0);
}

/*
 * Drops families from store.idle that are in use, so that the end of the batch, which holds the
 * lock of the pages, need not look at them.
 */
static void look_back(struct store *s, uint32_t n)
{
	struct large_at_hand *l = &s->large;

	for (; n > 0 && l->at < s->n_idle; n--, l->at++) {
		struct store_family *f = s->idle[l->at];

		f->idle = f->n_groups == 0;
		if (f->idle)
			s->idle[l->n_idle++] = f;
	}
	if (l->at < s->n_idle)
		return;
	s->n_idle = l->n_idle;
	go_to(l, READY, 0);
}

static void leave_again(struct store *s, uint32_t n)
{
	struct large_at_hand *l = &s->large;

	for (; n > 0 && l->at > 0; n--)
		large_unindex_in(s, l->group, --l->at);
	if (l->at == 0)
		go_to(l, BACK_OUT, l->n_gone);
}

static void enter_again(struct store *s, uint32_t n)
{
	struct large_at_hand *l = &s->large;

	for (; n > 0 && l->at > 0; n--)
		large_unindex_out(s, l->group, --l->at);
	if (l->at == 0)
		go_to(l, FORGET, l->group->staged->net.n);
}

static void forget(struct store *s, uint32_t n)
{
	struct large_at_hand *l = &s->large;

	for (; n > 0 && l->at > 0; n--)
		large_forget(s, l->group, --l->at);
	if (l->at > 0)
		return;
	large_forget_all(l->group);
	l->n_going = l->n_gone = 0;
	go_to(l, READY, 0);
}

static void step(struct store *s, uint32_t n)
{
	static void (*const steps[])(struct store *, uint32_t) = {
		[PUT] = put,
		[TAKE] = take,
		[OUT] = leave_index,
		[IN] = enter_index,
		[LOOK_BACK] = look_back,
		[BACK_IN] = leave_again,
		[BACK_OUT] = enter_again,
		[FORGET] = forget,
	};
	uint64_t before = s->staged_series, bytes = s->staged_bytes;

	steps[s->large.phase](s, n);
	s->large.n_series += (int64_t)(s->staged_series - before);
	s->large.n_bytes += (int64_t)(s->staged_bytes - bytes);
}

bool store_large_step(struct store *s, uint32_t families)
{
	if (s->large.phase == READY)
		return false;
	swap_batches(s);
	step(s, families);
	swap_batches(s);
	return s->large.phase != READY;
}

/* From now on the large push's batch is the store's current batch. */
static void leave_large(struct store *s)
{
	swap_batches(s);
	free(s->large.batch.steps);
	free(s->large.batch.was_newest);
	s->large = (struct large_at_hand){ 0 };
}

void store_large_end(struct store *s)
{
	struct large_at_hand l = s->large;

	leave_large(s);
	/* The push may have got its time only now, with that of its batch. */
	if (l.group->staged->made)
		store_step_at(s, l.group->staged->made)->at = l.push->now;
	if (l.push->err.reason == ERR_NONE) {
		l.group->staged->replaced |= l.push->mode == PUSH_PUT;
		l.record->pushed_at = l.push->now;
		store_step_record(s, l.group, l.record);
		store_stage_accepted(s, l.group, l.push);
	} else {
		record_unref(l.record);
		store_stage_refused(s, l.group, l.push);
	}
}

void store_large_leave(struct store *s)
{
	struct large_at_hand *l = &s->large;
	uint32_t n = l->group->staged->net.n;

	if (l->phase == LOOK_BACK)
		look_back(s, UINT32_MAX);
	switch (l->phase) {
	case PUT:
	case TAKE:
		go_to(l, FORGET, n);
		break;
	case OUT:
		go_to(l, BACK_OUT, l->at);
		break;
	case IN:
		go_to(l, BACK_IN, l->at);
		break;
	case READY:
		go_to(l, BACK_IN, n);
		break;
	default:
		break;
	}
}

void store_large_drop(struct store *s)
{
	struct record *record = s->large.record;

	if (!s->large.push)
		return;
	store_large_leave(s);
	while (store_large_step(s, UINT32_MAX))
		;
	s->large.push->err = (struct err){ 0 };
	leave_large(s);
	record_unref(record);
	store_rollback(s);
	pthread_mutex_lock(&s->pages.lock);
	s->pages.counts.families = s->families.n;
	s->pages.counts.bytes = stored_bytes(s);
	pthread_mutex_unlock(&s->pages.lock);
}
