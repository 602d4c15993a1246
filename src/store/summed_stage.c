/* Pushes to summed groups, and the end of sources. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/left_out_group.h"
#include "store/lifetime.h"
#include "store/summed.h"

struct summed *summed_new(void)
{
	struct summed *su = mem_zalloc(sizeof(*su));

	su->group = merged_group_new();
	su->head_changed = true;
	return su;
}

void summed_free(struct summed *su)
{
	if (!su)
		return;
	merged_group_free(su->group);
	summed_restored_free(su->restored);
	summed_shown_free(su);
	lines_done(&su->failing);
	free(su);
}

void summed_leave(struct group *g)
{
	struct staged *st = g->staged;

	/* The state from before the batch stays until the batch is published. */
	if (st->summed != g->summed)
		summed_free(st->summed);
	st->summed = NULL;
}

static struct summed_head head_of(const struct summed *su, const struct push *push)
{
	const struct group_options *o = &push->options.group;

	return (struct summed_head){
		.mode = (uint8_t)o->mode,
		.birth = su->head.birth,
		.zero_first_ns = o->has_zero_first ? o->zero_first_ns : 0,
		.max_sources = o->has_max_sources ? o->max_sources : 0,
		.counted_since = su->head.counted_since,
	};
}

static bool same_head(const struct summed_head *a, const struct summed_head *b)
{
	return a->mode == b->mode && a->zero_first_ns == b->zero_first_ns &&
	       a->max_sources == b->max_sources;
}

static void set_head(struct summed *su, const struct push *push)
{
	struct summed_head head = head_of(su, push);

	if (same_head(&su->head, &head))
		return;
	if (head.zero_first_ns < su->head.zero_first_ns)
		summed_show_counts(su->group);
	/* Until now all counts were shown, also those of a plain group before. */
	if (su->head.zero_first_ns == 0)
		head.counted_since = summed_newest_since(su->group);
	su->head = head;
	su->head_changed = true;
}

/* ---- a push ---- */

/* Counts all series and families, shown or not, since silent sources may come back. */
static struct amounts count(const struct merged_group *m)
{
	struct amounts n = { 0 };

	for (uint32_t i = 0; i < m->n_families; i++)
		if (m->families[i] && !m->families[i]->dropped && m->families[i]->n > 0) {
			n.series += m->families[i]->n;
			n.families++;
		}
	return n;
}

static int check_limits(struct store *s, const struct group *g, const struct amounts *before,
			struct err *err)
{
	struct amounts_of_push a = { *before, count(g->staged->summed->group), { 0 } };

	if (a.after.series > before->series)
		a.pushed.series = a.after.series - before->series;
	if (a.after.families > before->families)
		a.pushed.families = a.after.families - before->families;
	return limits_check_amounts(s, g, &a, err);
}

static bool has_new_shape(const struct merged_group *m)
{
	for (uint32_t i = 0; i < m->n_families; i++)
		if (m->families[i] && m->families[i]->shape_changed && !m->families[i]->dropped)
			return true;
	return false;
}

static int add(struct store *s, struct summed *su, struct push *push, struct err *err)
{
	if (merged_add(su->group, push->said, push->now, err) < 0)
		return -1;
	if (summed_adds_again(s, su, &push->said->head.source))
		push->warnings |= PUSH_ADD_REPEATED;
	return 0;
}

static int sum(struct store *s, struct summed *su, struct push *push, struct err *err)
{
	const struct group_options *o = &push->options.group;
	const struct merged_push p = {
		.source = &push->said->head.source,
		.said = push->said,
		.replace = push->mode == PUSH_PUT,
		.final = push->options.says.final,
		.now = push->now,
		.now_ns = clock_mono_ns(),
		.returned = summed_was_folded(s, su, &push->said->head.source),
		.source_ttl = o->has_source_ttl ? (double)o->source_ttl_ns / 1e9 : 0,
	};
	unsigned outcome;

	if (merged_push(su->group, &p, &outcome, err) < 0)
		return -1;
	if (p.final)
		s->nothing_spent_ns = 0;
	push->warnings |= (outcome & MERGED_RESET ? PUSH_RESET_ASSUMED : 0) |
			  (outcome & MERGED_INHERITED ? PUSH_INHERITED_COUNTS : 0);
	return 0;
}

static int merge(struct store *s, struct summed *su, struct push *push, struct err *err)
{
	return push->options.group.mode == GROUP_ADD ? add(s, su, push, err)
						     : sum(s, su, push, err);
}

/*
 * Merges the push and shows what it changes. On -1 everything is as it was before; *ret_full: since
 * sources hold too much.
 */
static int try_to_say(struct store *s, struct group *g, struct push *push, bool take_others,
		      bool *ret_full)
{
	struct summed *su = g->staged->summed;
	size_t mark = merged_mark(su->group), folded = s->folded.n_staged,
	       adders = s->adders.n_staged;
	struct amounts before = count(su->group);
	const struct summed_use use = summed_use_of(g);

	*ret_full = false;
	if (merge(s, su, push, &push->err) < 0)
		return -1;
	if (check_limits(s, g, &before, &push->err) == 0)
		*ret_full = summed_check_room(s, g, &push->said->head.source, &use, &push->err) < 0;
	if (!push->err.reason &&
	    (!(has_new_shape(su->group) || take_others) ||
	     summed_show(s, g, !take_others, take_others, push->now, &push->err) == 0))
		return 0;
	merged_undo(su->group, mark);
	s->folded.n_staged = folded;
	s->adders.n_staged = adders;
	return -1;
}

/* Tries again after sources of other groups were folded to make room. */
static int say(struct store *s, struct group *g, struct push *push, bool take_others)
{
	bool full;
	int r = try_to_say(s, g, push, take_others, &full);

	if (!full || !summed_fold_others(s, g))
		return r;
	push->err.reason = ERR_NONE;
	change_begin(s, g);
	return try_to_say(s, g, push, take_others, &full);
}

/* ---- the end of a source ---- */

static bool is_named_by_start(const struct merged_group *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->contributions[i]->name.n == 0)
			return true;
	return false;
}

static void end_summed(struct store *s, struct group *g, struct push *push)
{
	const struct source *source = &push->said->head.source;
	struct merged_group *m;

	change_begin(s, g);
	s->nothing_spent_ns = 0;
	m = g->staged->summed->group;
	if (source->name.n > 0 || source->has_start)
		merged_end_source(m, source);
	else if (is_named_by_start(m))
		err_set(&push->err, ERR_CONFLICT, 0,
			"the sources of this group are the starts of their processes, and this "
			"request names none: end one with __start__/UNIX_TIME in the URL, or "
			"delete the whole group with DELETE /api/v1/groups");
	else
		change_end(s, g, push->now);
}

static void end(struct store *s, struct group *g, struct push *push)
{
	const struct source *source = &push->said->head.source;

	if (g && group_is_there(g)) {
		if (group_summed(g))
			end_summed(s, g, push);
		else if (source->name.n == 0 && !source->has_start)
			change_end(s, g, push->now);
	}
	if (push->err.reason)
		return;
	summed_end_plain_twin(s, push);
	left_out_groups_end(s, push);
}

/* ---- */

/* made: this push has made the group. */
static void note_failure(struct store *s, struct group *g, struct push *push, bool made)
{
	change_begin(s, g);
	g->staged->labels = &push->labels;
	/*
	 * A refusal because of the group's state says nothing about the push, so it is no failure
	 * of the group.
	 */
	if (push->err.reason != ERR_INVALID) {
		if (made)
			change_end(s, g, push->now);
		return;
	}
	store_step_failed(s, g, push->now, str_of(push->err.msg));
	if (g->staged->summed)
		merged_refused(g->staged->summed->group, &push->said->head.source, push->now,
			       push->err.msg);
	if (made)
		lifetime_pushed(s, g, push);
}

/*
 * Whether the push is an increment that was taken before: it is answered as it was then, and
 * changes nothing.
 */
static bool is_repeat(const struct store *s, const struct group *g, const struct push *push)
{
	return g->staged->summed && push->options.group.mode == GROUP_ADD &&
	       summed_was_taken(s, g->staged->summed, push->said->head.push_id);
}

/* Counts of a process cannot be told from increments, so a group gets only one of the two. */
static int check_mode(const struct group *g, struct push *push)
{
	const struct summed *su = g->staged->summed;

	if (!su || su->head.mode == push->options.group.mode)
		return 0;
	if (su->head.mode == GROUP_SUM)
		return err_set(&push->err, ERR_CONFLICT, 0,
			       "the group is summed over its sources, and this push is an "
			       "increment: push to /sum/metrics/job/..., or delete the group "
			       "first");
	return err_set(&push->err, ERR_CONFLICT, 0,
		       "the group is made of increments, and this push is what one source has "
		       "counted so far: push to /add/metrics/job/..., or delete the group first");
}

void summed_stage(struct store *s, struct push *push)
{
	struct group *g = store_group_find(s, push->key, push->key_hash);
	struct summed_head head;
	bool fresh, made, changed;

	s->work.now = push->now;
	store_leave_first(s, g);
	if (g)
		lifetime_check(s, g, push->now);
	if (push->mode == PUSH_DELETE) {
		end(s, g, push);
		return;
	}
	made = !g || !group_is_there(g);
	if (made && store_make_group(s, &g, push) < 0)
		return;
	if (push->err.reason) {
		note_failure(s, g, push, made);
		return;
	}
	change_begin(s, g);
	g->staged->labels = &push->labels;
	g->staged->hides_others = push->hides_others;
	if (check_mode(g, push) < 0 || is_repeat(s, g, push))
		return;
	fresh = summed_from_plain(s, g, push);
	head = g->staged->summed->head;
	changed = g->staged->summed->head_changed;
	set_head(g->staged->summed, push);
	if (say(s, g, push, fresh) < 0) {
		if (fresh) {
			summed_leave(g);
		} else {
			g->staged->summed->head = head;
			g->staged->summed->head_changed = changed;
		}
		note_failure(s, g, push, made);
		return;
	}
	if (push->options.group.mode == GROUP_ADD)
		summed_take(s, g->staged->summed, push->said->head.push_id);
	summed_make_room(s, g, &push->said->head.source);
	store_step_record(s, g, record_new(push, g));
	summed_end_plain_twin(s, push);
	left_out_groups_end(s, push);
	lifetime_pushed(s, g, push);
}
