/* How a push changes its contribution: which counts are new, late, or begin again. */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "merge/internal.h"

enum verdict {
	TAKEN,
	LATE,    /* older than the value of the contribution, which stays */
	RENEWED, /* the series began anew: its old value moves into the base */
	RESET,   /* the same, known only because the count fell */
};

struct at_hand {
	struct merged_group *g;
	struct contribution *c;
	const struct merged_push *push;
	bool reset;
	/* For the family that is being taken. */
	struct pick *picks;
	uint32_t *gone;
	uint32_t n, n_gone;
};

static enum verdict judge(const struct contribution *c, const struct part *old, uint32_t at,
			  const struct said_metric *m)
{
	double before = part_dists(old) ? (*part_dist_at(old, at))->count : part_value(old, at);
	double now = m->dist ? m->dist->count : m->value;
	double created = part_created_at(old, at);

	if (created != 0 && m->created != 0 && created != m->created)
		return m->created > created ? RENEWED : LATE;
	if (now >= before)
		return TAKEN;
	return c->has_start ? LATE : RESET;
}

/* The layout of the contribution that was made last is the one shown. */
static void show_layout(struct at_hand *h, struct merged_family *f, const struct part *p)
{
	if (p && part_dists(p) && p->list->n > 0 && h->c->first >= f->shown_number)
		family_show_layout(h->g, f, (*part_dist_at(p, 0))->layout, h->c->first);
}

/* ---- counters, histograms, summaries ---- */

static void keep(struct at_hand *h, const struct part *old, uint32_t at)
{
	h->picks[h->n++] = (struct pick){ old->list->v[at], at, true, part_created_at(old, at) };
}

/* The series is in the contribution's old part and in the push. */
static void pick_again(struct at_hand *h, struct merged_family *f, const struct part *old,
		       uint32_t at, struct pick said, const struct said_metric *m)
{
	enum verdict v = judge(h->c, old, at, m);

	if (v == LATE) {
		keep(h, old, at);
		return;
	}
	if (said.created == 0)
		said.created = part_created_at(old, at);
	h->picks[h->n++] = said;
	if (v == TAKEN)
		return;
	base_add(h->g, f, old, at, 1);
	h->reset |= v == RESET;
}

/* Late values leave exemplars and the native shape as they are. */
static void note_said(struct at_hand *h, struct merged_family *f, const struct part *new)
{
	for (uint32_t k = 0; new &&k < new->list->n; k++) {
		if (h->picks[k].old)
			continue;
		series_note_exemplars(h->g, f, new, k, false);
		if (f->type == METRIC_HISTOGRAM)
			series_note_native(h->g, f, new->list->v[k],
					   dist_native(f, *part_dist_at(new, k)));
	}
}

static void say_sums(struct at_hand *h, struct merged_family *f, const struct said_family *sf)
{
	struct part *old = contribution_part(h->c, f), *new;
	CLEANUP(freep) struct pick *said = family_picks(h->g, f, sf, h->push->now);
	uint32_t i = 0, j = 0, n_old = old ? old->list->n : 0;

	h->picks = mem_alloc((n_old + sf->n) * sizeof(*h->picks));
	h->n = 0;
	while (i < n_old || j < sf->n) {
		bool has_old = i < n_old && (j >= sf->n || old->list->v[i] <= said[j].series);
		bool has_new = j < sf->n && (i >= n_old || said[j].series <= old->list->v[i]);

		if (has_old && has_new)
			pick_again(h, f, old, i, said[j], &sf->metrics[said[j].at]);
		else if (has_old)
			keep(h, old, i);
		else
			h->picks[h->n++] = said[j];
		i += has_old;
		j += has_new;
	}
	new = part_make(h->g, f, h->picks, h->n, sf, old, NULL, 0, h->g->next_number);
	contribution_say(h->g, h->c, f, new);
	/*
	 * The contribution was folded, so the base holds its values, and its first push has them
	 * again.
	 */
	for (uint32_t k = 0; h->c->returned && new &&k < new->list->n; k++)
		if (!h->picks[k].old && f->series[new->list->v[k]].in_base &&
		    (!old || part_find(old, new->list->v[k]) == UINT32_MAX))
			base_add(h->g, f, new, k, -1);
	note_said(h, f, new);
	show_layout(h, f, new);
	free(h->picks);
}

/* ---- gauges ---- */

static bool is_extreme(const struct merged_family *f)
{
	return f->policy == MERGE_MAX || f->policy == MERGE_MIN;
}

static bool beats(const struct merged_family *f, double v, double than)
{
	return is_more_extreme(f->policy == MERGE_MAX, v, than);
}

void keep_extreme(struct merged_group *g, struct merged_family *f, uint32_t series, double v)
{
	struct merged_series *s = &f->series[series];

	if (s->in_base && !beats(f, v, s->base_value))
		return;
	undo_save_state(g, f, series);
	s->in_base = true;
	s->base_value = v;
	family_changed(g, f, false, true);
}

void set_extreme(struct merged_group *g, struct merged_family *f, uint32_t series, double v)
{
	struct merged_series *s = &f->series[series];

	if ((s->in_base || s->n_said > 0) && !beats(f, v, s->value))
		return;
	undo_save_state(g, f, series);
	s->value = v;
}

static void set_recent(struct at_hand *h, struct merged_family *f, uint32_t series, double v,
		       bool there)
{
	struct merged_series *s = &f->series[series];

	if (s->there != there)
		family_changed(h->g, f, true, false);
	undo_save_state(h->g, f, series);
	s->value = v;
	s->number = h->g->next_number;
	s->by = h->c;
	s->there = there;
}

/* The push leaves out a series that the contribution's last push had, or left out, too. */
static void leave_out(struct at_hand *h, struct merged_family *f, uint32_t series)
{
	if (f->policy != MERGE_MOSTRECENT || f->series[series].by != h->c)
		return;
	if (f->series[series].there)
		set_recent(h, f, series, 0, false);
	h->gone[h->n_gone++] = series;
}

static void say_gauge(struct at_hand *h, struct merged_family *f, const struct pick *p,
		      const struct said_family *sf)
{
	double v = sf->metrics[p->at].value;

	h->picks[h->n++] = *p;
	if (f->policy == MERGE_MOSTRECENT)
		set_recent(h, f, p->series, v, true);
	else if (is_extreme(f))
		set_extreme(h->g, f, p->series, v);
}

static void leave_out_gone(struct at_hand *h, struct merged_family *f, const struct part *old,
			   const struct pick *said, uint32_t n)
{
	uint32_t n_gone;
	const uint32_t *gone = part_gone(old, &n_gone);

	for (uint32_t i = 0, j = 0; i < n_gone; i++) {
		while (j < n && said[j].series < gone[i])
			j++;
		if (j == n || said[j].series != gone[i])
			leave_out(h, f, gone[i]);
	}
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* sf NULL: the family is not in the body of a PUT. */
static void say_gauges(struct at_hand *h, struct merged_family *f, const struct said_family *sf)
{
	struct part *old = contribution_part(h->c, f), *new;
	uint32_t i = 0, j = 0, n_old = old ? old->list->n : 0, n_said = sf ? sf->n : 0, n_gone = 0;
	CLEANUP(freep) struct pick *said = sf ? family_picks(h->g, f, sf, h->push->now) : NULL;

	if (old)
		part_gone(old, &n_gone);
	h->picks = mem_alloc(n_said * sizeof(*h->picks));
	h->gone = mem_alloc(((size_t)n_old + n_gone) * sizeof(*h->gone));
	h->n = h->n_gone = 0;
	while (i < n_old || j < n_said) {
		bool has_old = i < n_old && (j >= n_said || old->list->v[i] <= said[j].series);
		bool has_new = j < n_said && (i >= n_old || said[j].series <= old->list->v[i]);

		if (has_old && is_extreme(f))
			keep_extreme(h->g, f, old->list->v[i], part_value(old, i));
		if (has_new)
			say_gauge(h, f, &said[j], sf);
		else if (has_old)
			leave_out(h, f, old->list->v[i]);
		i += has_old;
		j += has_new;
	}
	if (old)
		leave_out_gone(h, f, old, said, n_said);
	array_sort(h->gone, h->n_gone, by_number);
	new = part_make(h->g, f, h->picks, h->n, sf, old, h->gone, h->n_gone, h->g->next_number);
	contribution_say(h->g, h->c, f, new);
	note_said(h, f, new);
	if (h->n != n_old)
		family_changed(h->g, f, true, false);
	free(h->picks);
	free(h->gone);
}

/* ---- the families of a push ---- */

static bool is_held(const struct merged_group *g, const struct merged_family *f)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->contributions[i]->live && contribution_part(g->contributions[i], f))
			return true;
	return false;
}

/* Finds or makes the family. One with another type that no live process pushes is dropped. */
static int family_for(struct merged_group *g, const struct said_family *sf,
		      struct merged_family **ret, struct err *err)
{
	struct merged_family *f = family_find(g, sf->name);
	char quoted[128];

	if (f && f->type != sf->type && is_held(g, f))
		return err_set(err, ERR_INVALID, 0,
			       "metric family %s has another type in processes that still push: "
			       "it changes when they have ended, or been silent for long enough",
			       str_quote(sf->name, quoted, sizeof(quoted)));
	if (f && (f->type != sf->type || f->policy != sf->policy)) {
		family_drop(g, f);
		f = NULL;
	}
	*ret = f ? f : family_add(g, sf);
	return 0;
}

static int say_families(struct at_hand *h, struct err *err)
{
	const struct said *said = h->push->said;

	for (uint32_t i = 0; i < said->n; i++) {
		const struct said_family *sf = &said->families[i];
		struct merged_family *f;
		uint32_t layouts;

		if (family_for(h->g, sf, &f, err) < 0)
			return -1;
		layouts = f->n_layouts;
		if (f->policy == MERGE_SUM)
			say_sums(h, f, sf);
		else
			say_gauges(h, f, sf);
		if (family_check_layouts(f, layouts, err) < 0)
			return -1;
	}
	for (uint32_t i = 0; h->push->replace && i < h->c->n_parts; i++) {
		struct merged_family *f = h->c->parts[i] ? h->g->families[i] : NULL;

		if (f && !f->dropped && f->policy != MERGE_SUM && !said_find(said, f->name))
			say_gauges(h, f, NULL);
	}
	return 0;
}

/* ---- the push ---- */

/*
 * Whether a forked child has pushed what its parent had counted. Later the two cannot be told
 * apart, so the answer to the push says it.
 */
static bool has_inherited(const struct merged_push *push)
{
	for (uint32_t i = 0; push->source->has_start && i < push->said->n; i++) {
		const struct said_family *sf = &push->said->families[i];

		for (uint32_t j = 0; sf->policy == MERGE_SUM && j < sf->n; j++) {
			const struct said_metric *m = &sf->metrics[j];

			if ((m->dist ? m->dist->count : m->value) != 0 && m->created != 0 &&
			    m->created < push->source->start - 1)
				return true;
		}
	}
	return false;
}

static int note_reset(struct contribution *c, double now, struct err *err)
{
	const double *r = c->resets;

	if (r[0] != 0 && now - r[0] < 60)
		return err_set(err, ERR_CONFLICT, 0,
			       "counts of this source fell four times within a minute: two "
			       "processes seem to push under one name; say which is which with "
			       "ProcessCollector(registry=r), a label pid in the grouping key, or "
			       "__start__/UNIX_TIME in the URL");
	c->resets[0] = c->resets[1];
	c->resets[1] = c->resets[2];
	c->resets[2] = now;
	return 0;
}

int merged_push(struct merged_group *g, const struct merged_push *push, unsigned *ret,
		struct err *err)
{
	struct at_hand h = { .g = g, .push = push };
	size_t mark = merged_mark(g);

	*ret = 0;
	h.c = merged_find(g, push->source, push->said);
	if (!h.c) {
		*ret |= MERGED_NEW | (has_inherited(push) ? MERGED_INHERITED : 0);
		h.c = contribution_add(g, push->source);
		h.c->returned = push->returned;
	}
	undo_save_fields(g, h.c);
	merged_set_live(g, h.c, true);
	h.c->ended = false;
	h.c->pushed_at = push->now;
	h.c->heard_ns = push->now_ns;
	h.c->source_ttl = push->source_ttl;
	h.c->changed = true;
	if (say_families(&h, err) < 0 || (h.reset && note_reset(h.c, push->now, err) < 0)) {
		merged_undo(g, mark);
		return -1;
	}
	g->next_number++;
	*ret |= h.reset ? MERGED_RESET : 0;
	if (push->final)
		merged_end(g, h.c);
	return 0;
}
