#include <stdlib.h>

#include "base/mem.h"
#include "merge/internal.h"

/* The base of a series with more resolutions than this is reduced to one. */
enum { MAX_NATIVE_LAYERS = 16 };

struct undo *undo_add(struct merged_group *g, enum undo_kind kind)
{
	if (g->n_undo == g->cap_undo) {
		g->cap_undo = g->cap_undo ? g->cap_undo * 2 : 64;
		g->undo = mem_realloc(g->undo, g->cap_undo * sizeof(*g->undo));
	}
	g->undo[g->n_undo] = (struct undo){ .kind = kind };
	return &g->undo[g->n_undo++];
}

void undo_save_state(struct merged_group *g, struct merged_family *f, uint32_t series)
{
	const struct merged_series *s = &f->series[series];
	struct undo *u = undo_add(g, UNDO_STATE);

	u->f = f;
	u->series = series;
	u->state = (struct series_state){ s->in_base, s->there,      s->native, s->since,
					  s->value,   s->base_value, s->number, s->by };
}

void undo_save_fields(struct merged_group *g, struct contribution *c)
{
	struct undo *u = undo_add(g, UNDO_FIELDS);

	u->c = c;
	u->fields = (struct contribution_fields){
		.ended = c->ended,
		.returned = c->returned,
		.changed = c->changed,
		.pushed_at = c->pushed_at,
		.failed_at = c->failed_at,
		.source_ttl = c->source_ttl,
		.resets = { c->resets[0], c->resets[1], c->resets[2] },
		.heard_ns = c->heard_ns,
	};
}

void undo_save_refusal(struct merged_group *g, struct contribution *c)
{
	struct undo *u;

	undo_save_fields(g, c);
	u = &g->undo[g->n_undo - 1];
	u->fields.has_why = true;
	u->fields.why = c->failed_why;
	c->failed_why = NULL;
}

void family_changed(struct merged_group *g, struct merged_family *f, bool shape, bool base)
{
	struct undo *u;

	if (f->changed && (f->shape_changed || !shape) && (f->base_changed || !base))
		return;
	u = undo_add(g, UNDO_FLAGS);
	u->f = f;
	u->flags[0] = f->changed;
	u->flags[1] = f->shape_changed;
	u->flags[2] = f->base_changed;
	f->changed = true;
	f->shape_changed |= shape;
	f->base_changed |= base;
}

void merged_family_changed(struct merged_group *g, struct merged_family *f)
{
	family_changed(g, f, false, false);
}

static void restore_state(const struct undo *u)
{
	struct merged_series *s = &u->f->series[u->series];

	s->in_base = u->state.in_base;
	s->there = u->state.there;
	s->native = u->state.native;
	s->since = u->state.since;
	s->value = u->state.value;
	s->base_value = u->state.base_value;
	s->number = u->state.number;
	s->by = u->state.by;
	s->stale = u->f->policy == MERGE_LIVEMAX || u->f->policy == MERGE_LIVEMIN;
}

static void restore_fields(const struct undo *u)
{
	struct contribution *c = u->c;

	c->ended = u->fields.ended;
	c->returned = u->fields.returned;
	c->changed = u->fields.changed;
	c->pushed_at = u->fields.pushed_at;
	c->failed_at = u->fields.failed_at;
	c->source_ttl = u->fields.source_ttl;
	c->heard_ns = u->fields.heard_ns;
	memcpy(c->resets, u->fields.resets, sizeof(c->resets));
	if (u->fields.has_why) {
		free(c->failed_why);
		c->failed_why = u->fields.why;
	}
}

static void restore_part(struct merged_group *g, const struct undo *u)
{
	if (part_counts(u->c, u->f))
		sums_recount(u->f, u->new, u->old);
	held_part(g, u->f, u->new, u->old);
	u->c->parts[u->f->index] = u->old;
	part_free(u->new);
}

static void restore_base(const struct undo *u)
{
	struct merged_series *s = &u->f->series[u->series];

	sums_add(u->f, &s->base, u->old, u->at, -u->times);
	sums_add(u->f, &s->all, u->old, u->at, -u->times);
}

static void restore_exemplars(const struct undo *u)
{
	struct merged_series *s = &u->f->series[u->series];

	exemplars_unref(s->exemplars);
	exemplars_unref(s->base_exemplars);
	s->exemplars = u->exemplars[0];
	s->base_exemplars = u->exemplars[1];
}

static void restore_sums(const struct undo *u)
{
	struct merged_series *s = &u->f->series[u->series];

	sums_add_sums(u->f, &s->all, &s->base, -1);
	sums_add_sums(u->f, &s->all, u->sums, 1);
	sums_done(&s->base);
	s->base = *u->sums;
	free(u->sums);
}

static void restore_held(const struct undo *u)
{
	u->f->series[u->series].held = u->old;
	part_free(u->new);
}

static void restore_shown(const struct undo *u)
{
	u->f->shown_layout = u->series;
	u->f->shown_number = u->number;
}

static void restore_flags(const struct undo *u)
{
	u->f->changed = u->flags[0];
	u->f->shape_changed = u->flags[1];
	u->f->base_changed = u->flags[2];
}

static void unmake_family(struct merged_group *g, struct merged_family *f)
{
	family_unlink(g, f);
	held_family(g, f, -1);
	family_free(f);
}

static void take_back(struct merged_group *g, const struct undo *u)
{
	switch (u->kind) {
	case UNDO_PART:
		restore_part(g, u);
		break;
	case UNDO_BASE:
		restore_base(u);
		break;
	case UNDO_STATE:
		restore_state(u);
		break;
	case UNDO_FIELDS:
		restore_fields(u);
		break;
	case UNDO_LIVE:
		contribution_count_live(g, u->c, u->flag);
		break;
	case UNDO_ADDED:
		contribution_unlink(g, u->c);
		contribution_free(u->c);
		break;
	case UNDO_REMOVED:
		u->c->removed = false;
		contribution_link(g, u->c);
		break;
	case UNDO_FAMILY:
		unmake_family(g, u->f);
		break;
	case UNDO_DROPPED:
		u->f->dropped = false;
		family_link(g, u->f);
		break;
	case UNDO_SERIES:
		family_pop_series(g, u->f);
		break;
	case UNDO_LAYOUT:
		family_pop_layout(g, u->f);
		break;
	case UNDO_SHOWN:
		restore_shown(u);
		break;
	case UNDO_OWNED:
		part_free(u->new);
		break;
	case UNDO_EXEMPLARS:
		restore_exemplars(u);
		break;
	case UNDO_HELD:
		restore_held(u);
		break;
	case UNDO_SUMS:
		restore_sums(u);
		break;
	case UNDO_FLAGS:
		restore_flags(u);
		break;
	}
}

void merged_each_touched(const struct merged_group *g,
			 void (*fn)(void *arg, struct contribution *c), void *arg)
{
	for (size_t i = 0; i < g->n_undo; i++) {
		const struct undo *u = &g->undo[i];

		if (u->kind == UNDO_ADDED || u->kind == UNDO_FIELDS || u->kind == UNDO_REMOVED)
			fn(arg, u->c);
	}
}

bool merged_drops(const struct merged_group *g)
{
	for (uint32_t i = 0; i < g->n_families; i++)
		if (g->families[i] && g->families[i]->dropped)
			return true;
	return false;
}

size_t merged_mark(const struct merged_group *g)
{
	return g->n_undo;
}

void merged_undo(struct merged_group *g, size_t mark)
{
	while (g->n_undo > mark) {
		const struct undo u = g->undo[--g->n_undo];

		take_back(g, &u);
	}
}

/* The parts of a dropped family were kept for the undo until now. */
static void forget_family(struct merged_group *g, struct merged_family *f)
{
	for (size_t i = 0; i < g->n; i++) {
		struct contribution *c = g->contributions[i];

		if (!contribution_part(c, f))
			continue;
		held_part(g, f, c->parts[f->index], NULL);
		part_free(c->parts[f->index]);
		c->parts[f->index] = NULL;
		c->changed = true;
	}
	family_free_index(g, f->index);
	held_family(g, f, -1);
	family_free(f);
}

/*
 * Reduces bases with many layers: each zero threshold makes a layer, and processes may push any
 * number of thresholds.
 */
static void squash_bases(struct merged_family *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		struct merged_series *s = &f->series[i];

		if (s->base.native.n <= MAX_NATIVE_LAYERS)
			continue;
		native_sums_add_sums(&s->all.native, &s->base.native, -1);
		native_sums_squash(&s->base.native);
		native_sums_add_sums(&s->all.native, &s->base.native, 1);
	}
}

/* Frees what only an undo would have needed, in the order of the changes. */
void merged_commit(struct merged_group *g)
{
	for (size_t i = 0; i < g->n_undo; i++) {
		const struct undo *u = &g->undo[i];

		if (u->kind == UNDO_PART || u->kind == UNDO_HELD) {
			part_free(u->old);
		} else if (u->kind == UNDO_EXEMPLARS) {
			exemplars_unref(u->exemplars[0]);
			exemplars_unref(u->exemplars[1]);
		} else if (u->kind == UNDO_SUMS) {
			sums_done(u->sums);
			free(u->sums);
		} else if (u->kind == UNDO_FIELDS) {
			free(u->fields.why);
		} else if (u->kind == UNDO_OWNED) {
			part_free(u->new);
		} else if (u->kind == UNDO_REMOVED) {
			contribution_free(u->c);
		} else if (u->kind == UNDO_DROPPED) {
			forget_family(g, u->f);
		}
	}
	g->n_undo = 0;
	for (uint32_t i = 0; i < g->n_families; i++) {
		struct merged_family *f = g->families[i];

		if (f && f->base_changed && f->type == METRIC_HISTOGRAM)
			squash_bases(f);
		if (f)
			f->base_changed = false;
	}
}
