/*
 * Staging: each push in turn becomes a change (change.h) on top of the earlier ones of the batch.
 * The committer only.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"
#include "store/left_out_group.h"
#include "store/lifetime.h"
#include "store/summed.h"

uint32_t store_step(struct store *s, struct group *g, enum row_kind kind, double at)
{
	if (s->n_steps == s->cap_steps) {
		s->cap_steps = s->cap_steps ? s->cap_steps * 2 : 64;
		s->steps = mem_realloc(s->steps, s->cap_steps * sizeof(*s->steps));
	}
	s->steps[s->n_steps++] = (struct step){ .kind = kind, .group = g, .at = at };
	s->numbered = false;
	return (uint32_t)s->n_steps;
}

void store_step_record(struct store *s, struct group *g, struct record *record)
{
	uint32_t step = store_step(s, g, ROW_RECORD, record->pushed_at);

	store_step_at(s, step)->record = record;
	g->staged->last = step;
}

void store_step_failed(struct store *s, struct group *g, double at, struct str why)
{
	const struct str prefix = STR(PUSH_INVALID_PREFIX);
	uint32_t step = store_step(s, g, ROW_FAILED, at);

	/* All reasons begin with these words, so they are not stored. */
	if (str_has_prefix(why, prefix))
		why = (struct str){ why.p + prefix.n, why.n - prefix.n };
	store_step_at(s, step)->why = why;
	g->staged->failed = step;
}

void store_step_life(struct store *s, struct group *g, double at)
{
	g->staged->lived = store_step(s, g, ROW_LIFE, at);
}

void store_look_ahead(const struct store *s, const struct group *g, const struct push *push,
		      uint32_t i)
{
	enum { PLACES = 24, ITEMS = 16, NAMES = 8 };
	const struct push_family *f = push->families;
	const struct store_family *known;

	if (i + PLACES < push->n_families) {
		table_prefetch(&s->families, f[i + PLACES].hash);
		entries_prefetch(&g->entries, f[i + PLACES].hash);
	}
	if (i + ITEMS < push->n_families) {
		known = table_peek(&s->families, f[i + ITEMS].hash);
		if (known) {
			__builtin_prefetch(known);
			__builtin_prefetch((const char *)known + 64);
		}
		entries_prefetch_entry(&g->entries, &s->pages.entries, f[i + ITEMS].hash);
	}
	if (i + NAMES < push->n_families) {
		known = table_peek(&s->families, f[i + NAMES].hash);
		if (known)
			__builtin_prefetch(known->shown.name.p);
	}
}

/* Puts the push's families into an existing group, and takes all others out for a PUT. */
static int stage_families(struct store *s, struct group *g, struct push *push)
{
	struct record *record = record_new(push, g);

	change_begin(s, g);
	g->staged->labels = &push->labels;
	g->staged->hides_others = push->hides_others;
	entries_prefetch_few(&g->entries, &s->pages.entries);
	for (uint32_t i = 0; i < push->n_families; i++) {
		store_look_ahead(s, g, push, i);
		change_put(s, record, &push->families[i]);
	}
	if (push->mode == PUSH_PUT)
		change_take_others(s);
	change_limited(s);
	if (change_apply(s, &push->err) == 0) {
		store_step_record(s, g, record);
		return 0;
	}
	record_unref(record);
	return -1;
}

/*
 * A push whose group cannot be made leaves no failure time, since there is no group that could have
 * one.
 */
int store_make_group(struct store *s, struct group **g, struct push *push)
{
	bool known = *g != NULL;
	struct err err;

	if (!known)
		*g = store_group_add(s, push->key, push->labels, push->key_hash);
	if (change_make(s, *g, &push->labels, push->now, &err) == 0)
		return 0;
	if (!known)
		store_group_remove(s, *g);
	s->large.in_the_way = true;
	if (!push->err.reason)
		push->err = err;
	return -1;
}

void store_stage_accepted(struct store *s, struct group *g, struct push *push)
{
	lifetime_pushed(s, g, push);
	left_out_groups_end(s, push);
}

/* Whether the group exists only because of the refused push. */
static bool is_new(const struct group *g)
{
	const struct staged *st = g->staged;

	return st && st->exists && st->made && !st->last && !st->failed;
}

/*
 * A refused push that contradicts something makes its group, as with the Go gateway. A push over a
 * limit does not, since a new group needs room.
 */
void store_stage_refused(struct store *s, struct group *g, struct push *push)
{
	bool made = is_new(g);

	if (push->err.reason != ERR_INVALID && made) {
		g->staged->exists = false;
		store_unindex_group(s, g);
		return;
	}
	change_begin(s, g);
	g->staged->labels = &push->labels;
	store_step_failed(s, g, push->now, str_of(push->err.msg));
	if (made)
		lifetime_pushed(s, g, push);
}

static void fetch(const void *p, size_t n)
{
	enum { LINE = 64 };

	for (size_t i = 0; i < n; i += LINE)
		__builtin_prefetch((const char *)p + i);
}

void store_look_ahead_batch(const struct store *s, const struct push *push)
{
	enum { GROUP_BYTES = 4 * 64, FAMILIES = 16, BODY_BYTES = 2048 };
	const struct push *next = (const struct push *)push->node.next, *then, *last;
	uint32_t slot;

	for (uint32_t i = 0; i < push->n_families && i < FAMILIES; i++)
		__builtin_prefetch(push->families[i].text.p);
	if (!next)
		return;
	fetch(next->body.p, next->body.n < BODY_BYTES ? next->body.n : BODY_BYTES);
	slot = series_index_peek(&s->keys, next->key_hash);
	if (slot)
		fetch(s->by_slot[slot], GROUP_BYTES);
	fetch(next->families, (next->n_families < FAMILIES ? next->n_families : FAMILIES) *
				      sizeof(*next->families));
	then = (const struct push *)next->node.next;
	last = then ? (const struct push *)then->node.next : NULL;
	if (then)
		series_index_prefetch(&s->keys, then->key_hash);
	if (last)
		fetch(last, offsetof(struct push, body));
}

static void refuse_plain(struct push *push)
{
	if (!push->err.reason)
		err_set(&push->err, ERR_CONFLICT, 0,
			"the group is summed over its sources, and this push is to a plain one: "
			"push to /sum/metrics/job/..., or delete the group first");
}

static void stage(struct store *s, struct push *push)
{
	struct group *g;

	/* All others mean no group, or many. */
	assert(push->mode <= PUSH_DELETE);
	if (push->said) {
		summed_stage(s, push);
		return;
	}
	g = store_group_find(s, push->key, push->key_hash);
	store_leave_first(s, g);
	if (g)
		lifetime_check(s, g, push->now);
	if (push->mode == PUSH_DELETE) {
		if (g && group_is_there(g))
			change_end(s, g, push->now);
		left_out_groups_end(s, push);
		return;
	}
	if (g && group_is_there(g) && group_summed(g)) {
		refuse_plain(push);
		return;
	}
	if ((!g || !group_is_there(g)) && store_make_group(s, &g, push) < 0)
		return;
	if (push->err.reason == ERR_NONE && stage_families(s, g, push) == 0)
		store_stage_accepted(s, g, push);
	else
		store_stage_refused(s, g, push);
}

void store_stage(struct store *s, struct push *push)
{
	uint64_t before = s->staged_groups;

	stage(s, push);
	push->n_ended = push->mode == PUSH_DELETE ? before - s->staged_groups : 0;
}

void store_stage_times(struct store *s, struct push *push, double pushed_at, double failed_at,
		       struct str failed_why)
{
	struct group *g = store_group_find(s, push->key, push->key_hash);
	struct staged *st = g ? g->staged : NULL;

	if (!st)
		return;
	if (!st->last || store_step_at(s, st->last)->record->pushed_at != pushed_at) {
		struct record *record = record_new(push, g);

		record->pushed_at = pushed_at;
		store_step_record(s, g, record);
	}
	st->failed = 0;
	/* At time 0, too, if there is a reason. */
	if (failed_at != 0 || failed_why.n > 0)
		store_step_failed(s, g, failed_at, failed_why);
}

void store_forget_batch(struct store *s)
{
	for (size_t i = 0; i < s->n_steps; i++) {
		if (s->steps[i].record)
			record_unref(s->steps[i].record);
		if (s->steps[i].left_out)
			s->steps[i].left_out->ends = false;
	}
	summed_forget_batch(s);
	s->n_steps = 0;
	s->n_was_newest = 0;
	s->numbered = false;
	s->touched = NULL;
	store_rows_clear(s);
}

void store_rollback(struct store *s)
{
	struct group *next;

	remembered_roll_back(&s->folded);
	remembered_roll_back(&s->push_ids);
	remembered_roll_back(&s->adders);
	for (struct group *g = s->touched; g; g = g->staged->next)
		staged_leave_index(s, g);
	for (struct group *g = s->touched; g; g = g->staged->next)
		staged_restore_index(s, g);
	store_restore_newest(s);
	for (struct group *g = s->touched; g; g = next) {
		next = g->staged->next;
		summed_rolled_back(g);
		staged_free(s, g);
		if (g->exists)
			lifetime_rolled_back(s, g);
		else
			store_group_remove(s, g);
	}
	summed_await_popped(s);
	summed_zeros_rolled_back(s);
	store_forget_batch(s);
	dead_begin(s);
	pthread_mutex_lock(&s->pages.lock);
	store_sweep_families(s);
	pthread_mutex_unlock(&s->pages.lock);
	dead_end(s);
	dead_end_batch(s);
}
