#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "merge/internal.h"

/*
 * Starts are hashed in hundredths of a second, since find_at() adds whole seconds to find starts
 * that may be the same.
 */
static uint64_t hash_of(struct str name, bool has_start, double hundredths)
{
	uint64_t parts[2] = { hash_bytes(name), UINT64_MAX };

	if (has_start)
		memcpy(&parts[1], &hundredths, sizeof(hundredths));
	return hash_bytes((struct str){ (const char *)parts, sizeof(parts) });
}

void contribution_link(struct merged_group *g, struct contribution *c)
{
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 8;
		g->contributions = mem_realloc(g->contributions,
					       g->cap * sizeof(struct contribution *));
	}
	c->at = g->n;
	g->contributions[g->n++] = c;
	table_add(&g->by_source, c->hash, c);
	g->held.text += c->name.n;
	for (uint32_t i = 0; i < c->n_parts; i++)
		if (c->parts[i])
			held_part(g, g->families[i], NULL, c->parts[i]);
}

void contribution_unlink(struct merged_group *g, struct contribution *c)
{
	table_remove(&g->by_source, c->hash, c);
	g->held.text -= c->name.n;
	g->contributions[c->at] = g->contributions[--g->n];
	g->contributions[c->at]->at = c->at;
	for (uint32_t i = 0; i < c->n_parts; i++)
		if (c->parts[i])
			held_part(g, g->families[i], c->parts[i], NULL);
}

struct contribution *contribution_add(struct merged_group *g, const struct source *source)
{
	struct contribution *c = mem_zalloc(sizeof(*c));

	c->name = (struct str){ mem_dup(source->name.p, source->name.n), source->name.n };
	c->has_start = source->has_start;
	c->start = source->start;
	c->hash = hash_of(c->name, c->has_start, round(c->start * 100));
	c->doc.id = g->next_id++;
	c->first = g->next_number;
	c->live = true;
	c->changed = true;
	contribution_link(g, c);
	undo_add(g, UNDO_ADDED)->c = c;
	return c;
}

void contribution_remove(struct merged_group *g, struct contribution *c)
{
	contribution_unlink(g, c);
	c->removed = true;
	undo_add(g, UNDO_REMOVED)->c = c;
}

void contribution_free(struct contribution *c)
{
	for (uint32_t i = 0; i < c->n_parts; i++)
		part_free(c->parts[i]);
	free(c->parts);
	free((char *)c->name.p);
	free(c->failed_why);
	free(c);
}

void contribution_say(struct merged_group *g, struct contribution *c, struct merged_family *f,
		      struct part *new)
{
	struct part *old = contribution_part(c, f);
	struct undo *u;

	if (f->index >= c->n_parts) {
		uint32_t n = f->index + 1;

		c->parts = mem_realloc(c->parts, n * sizeof(struct part *));
		while (c->n_parts < n)
			c->parts[c->n_parts++] = NULL;
	}
	if (part_counts(c, f))
		sums_recount(f, old, new);
	held_part(g, f, old, new);
	c->parts[f->index] = new;
	family_changed(g, f, false, false);
	u = undo_add(g, UNDO_PART);
	u->c = c;
	u->f = f;
	u->old = old;
	u->new = new;
}

void contribution_count_live(struct merged_group *g, struct contribution *c, bool live)
{
	for (uint32_t i = 0; i < c->n_parts && live != c->live; i++) {
		struct merged_family *f = c->parts[i] ? g->families[i] : NULL;

		if (!f || !merge_policy_is_live(f->policy))
			continue;
		sums_recount(f, live ? NULL : c->parts[i], live ? c->parts[i] : NULL);
		f->changed = true;
	}
	c->live = live;
}

void merged_set_live(struct merged_group *g, struct contribution *c, bool live)
{
	struct undo *u;

	if (c->live == live)
		return;
	for (uint32_t i = 0; i < c->n_parts; i++)
		if (c->parts[i] && merge_policy_is_live(g->families[i]->policy))
			family_changed(g, g->families[i], true, false);
	undo_save_fields(g, c);
	c->changed = true;
	u = undo_add(g, UNDO_LIVE);
	u->c = c;
	u->flag = c->live;
	contribution_count_live(g, c, live);
}

/*
 * Whether no count is below that of c. Counts of one process never fall: one that is below is
 * another process's.
 */
static bool none_below(const struct merged_group *g, const struct contribution *c,
		       const struct said *said)
{
	for (uint32_t i = 0; i < said->n; i++) {
		const struct said_family *sf = &said->families[i];
		struct merged_family *f = family_find(g, sf->name);
		const struct part *p = f && f->policy == MERGE_SUM ? contribution_part(c, f) : NULL;

		for (uint32_t j = 0; p && j < sf->n; j++) {
			uint32_t series = family_lookup(f, &sf->metrics[j]);
			uint32_t at = series == UINT32_MAX ? UINT32_MAX : part_find(p, series);

			if (at == UINT32_MAX)
				continue;
			if (part_dists(p)
				    ? sf->metrics[j].dist && sf->metrics[j].dist->count <
								     (*part_dist_at(p, at))->count
				    : sf->metrics[j].value < part_value(p, at))
				return false;
		}
	}
	return true;
}

static bool is_of(const struct contribution *c, const struct source *source)
{
	return c->has_start == source->has_start && str_eq(c->name, source->name);
}

/* The contribution of that source whose start is `apart` hundredths of a second later. */
static struct contribution *find_at(const struct merged_group *g, const struct source *source,
				    double apart)
{
	uint64_t hash = hash_of(source->name, source->has_start,
				round(source->start * 100) + apart);
	struct contribution *c;

	for (size_t at = table_first(&g->by_source, hash);
	     (c = table_next(&g->by_source, hash, &at));)
		if (is_of(c, source) && (apart != 0 ? source_same_start(c->start, source->start)
						    : !c->has_start || c->start == source->start))
			return c;
	return NULL;
}

struct contribution *merged_find(const struct merged_group *g, const struct source *source,
				 const struct said *said)
{
	static const double apart[] = { 100, -100, 200, -200 };
	struct contribution *c = find_at(g, source, 0);

	for (size_t i = 0; !c && said && source->has_start && i < ARRAY_LEN(apart); i++) {
		c = find_at(g, source, apart[i]);
		if (c && !none_below(g, c, said))
			c = NULL;
	}
	return c;
}

void series_note_exemplars(struct merged_group *g, struct merged_family *f, const struct part *p,
			   uint32_t at, bool base)
{
	struct merged_series *s = &f->series[p->list->v[at]];
	const struct exemplars *said = part_exemplars(p) ? part_exemplars(p)[at] : NULL;
	struct undo *u;

	if (!said)
		return;
	u = undo_add(g, UNDO_EXEMPLARS);
	u->f = f;
	u->series = p->list->v[at];
	u->exemplars[0] = s->exemplars;
	u->exemplars[1] = s->base_exemplars;
	s->exemplars = exemplars_newest(s->exemplars, said->list, said->n);
	s->base_exemplars = base ? exemplars_newest(s->base_exemplars, said->list, said->n)
				 : exemplars_ref(s->base_exemplars);
	family_changed(g, f, false, base);
}

void series_hold(struct merged_group *g, struct merged_family *f, const struct part *p, uint32_t at)
{
	struct merged_series *s = &f->series[p->list->v[at]];
	struct undo *u = undo_add(g, UNDO_HELD);

	u->f = f;
	u->series = p->list->v[at];
	u->old = s->held;
	u->new = s->held = part_alone(f, p, at);
	family_changed(g, f, false, true);
}

void series_note_native(struct merged_group *g, struct merged_family *f, uint32_t series,
			const struct native *v)
{
	struct native_shape *at = &f->series[series].native, now = native_shape_with(*at, v);

	if (now.known == at->known && now.hidden == at->hidden && now.schema == at->schema &&
	    now.threshold == at->threshold)
		return;
	undo_save_state(g, f, series);
	*at = now;
	family_changed(g, f, false, true);
}

/* Series whose extreme is looked for, ascending. */
struct looked_for {
	uint32_t *v;
	uint32_t n;
};

static void look_at_value(struct merged_family *f, const struct part *p, uint32_t at)
{
	struct merged_series *s = &f->series[p->list->v[at]];
	double v = part_value(p, at);

	if (is_more_extreme(f->policy == MERGE_LIVEMAX, v, s->value))
		s->value = v;
}

/* Few series are searched for in a long part; otherwise both lists are gone through once. */
static void look_at_part(struct merged_family *f, const struct part *p, const struct looked_for *l)
{
	enum { SEARCH = 16 };
	uint32_t at = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		if (l->n < p->list->n / SEARCH)
			at = part_find(p, l->v[i]);
		else
			while (at < p->list->n && p->list->v[at] < l->v[i])
				at++;
		if (at < p->list->n && p->list->v[at] == l->v[i])
			look_at_value(f, p, at);
	}
}

/*
 * The extremes of a live policy are looked for among all contributions only when those that had
 * them are gone or have other values. NaN is what every number beats.
 */
void family_refresh(struct merged_group *g, struct merged_family *f)
{
	CLEANUP(freep) uint32_t *v = mem_alloc(f->n * sizeof(*v));
	struct looked_for l = { v, 0 };

	for (uint32_t i = 0; i < f->n; i++) {
		if (!f->series[i].stale)
			continue;
		f->series[i].stale = false;
		f->series[i].value = (double)NAN;
		v[l.n++] = i;
	}
	for (size_t i = 0; l.n > 0 && i < g->n; i++) {
		const struct contribution *c = g->contributions[i];
		const struct part *p = c->live ? contribution_part(c, f) : NULL;

		if (p)
			look_at_part(f, p, &l);
	}
}
