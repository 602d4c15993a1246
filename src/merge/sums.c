/*
 * Running sums over all contributions, so that a push costs what it holds, not what all
 * contributions hold.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "merge/internal.h"

void sums_cut_layouts(struct sums *s, uint32_t n)
{
	while (s->n_layouts > n) {
		struct layout_sums *l = s->layouts[--s->n_layouts];

		for (uint32_t i = 0; l && i < l->n; i++)
			exact_done(&l->counts[i]);
		free(l);
	}
}

void sums_done(struct sums *s)
{
	total_done(&s->value);
	exact_done(&s->count);
	native_sums_done(&s->native);
	sums_cut_layouts(s, 0);
	free(s->layouts);
}

struct exact *sums_layout(const struct merged_family *f, struct sums *s, uint32_t layout)
{
	uint32_t n = f->layouts[layout].n;

	if (layout >= s->n_layouts) {
		s->layouts = mem_realloc(s->layouts,
					 ((size_t)layout + 1) * sizeof(struct layout_sums *));
		while (s->n_layouts <= layout)
			s->layouts[s->n_layouts++] = NULL;
	}
	if (!s->layouts[layout]) {
		s->layouts[layout] = mem_zalloc(sizeof(struct layout_sums) +
						n * sizeof(struct exact));
		s->layouts[layout]->n = n;
	}
	return s->layouts[layout]->counts;
}

void sums_add(const struct merged_family *f, struct sums *to, const struct part *p, uint32_t at,
	      int times)
{
	total_add(&to->value, part_value(p, at), times);
	if (!part_dists(p))
		return;
	const struct part_dist *d = *part_dist_at(p, at);
	struct exact *counts = sums_layout(f, to, d->layout);

	if (d->has_native)
		native_sums_add(&to->native, dist_native(f, d), times);
	exact_add_times(&to->count, d->count, times);
	for (uint32_t i = 0; i < f->layouts[d->layout].n; i++)
		exact_add_times(&counts[i], dist_bucket(d, i), times);
}

static void exact_add_all(struct exact *e, const struct exact *v, int times)
{
	if (times > 0)
		exact_add_exact(e, v);
	else
		exact_sub_exact(e, v);
}

void sums_add_sums(const struct merged_family *f, struct sums *to, const struct sums *from,
		   int times)
{
	total_add_total(&to->value, &from->value, times);
	exact_add_all(&to->count, &from->count, times);
	native_sums_add_sums(&to->native, &from->native, times);
	for (uint32_t i = 0; i < from->n_layouts; i++) {
		if (!from->layouts[i])
			continue;
		struct exact *counts = sums_layout(f, to, i);

		for (uint32_t j = 0; j < from->layouts[i]->n; j++)
			exact_add_all(&counts[j], &from->layouts[i]->counts[j], times);
	}
}

static bool is_summed(const struct merged_family *f)
{
	return f->policy == MERGE_SUM || f->policy == MERGE_LIVESUM;
}

static bool is_live_extreme(const struct merged_family *f)
{
	return f->policy == MERGE_LIVEMAX || f->policy == MERGE_LIVEMIN;
}

static bool beats(const struct merged_family *f, double v, double than)
{
	return is_more_extreme(f->policy == MERGE_LIVEMAX, v, than);
}

static void remove_one(struct merged_family *f, const struct part *p, uint32_t at)
{
	struct merged_series *s = &f->series[p->list->v[at]];

	s->n_said--;
	if (is_summed(f))
		sums_add(f, &s->all, p, at, -1);
	else if (is_live_extreme(f) && !beats(f, s->value, part_value(p, at)))
		s->stale = true;
}

static void add_one(struct merged_family *f, const struct part *p, uint32_t at)
{
	struct merged_series *s = &f->series[p->list->v[at]];

	if (is_summed(f)) {
		sums_add(f, &s->all, p, at, 1);
	} else if (is_live_extreme(f)) {
		if (s->n_said == 0) {
			s->value = part_value(p, at);
			s->stale = false;
		} else if (beats(f, part_value(p, at), s->value)) {
			s->value = part_value(p, at);
		}
	}
	s->n_said++;
}

void sums_recount(struct merged_family *f, const struct part *old, const struct part *new)
{
	uint32_t i = 0, j = 0, n_old = old ? old->list->n : 0, n_new = new ? new->list->n : 0;

	while (i < n_old || j < n_new) {
		bool has_old = i < n_old && (j >= n_new || old->list->v[i] <= new->list->v[j]);
		bool has_new = j < n_new && (i >= n_old || new->list->v[j] <= old->list->v[i]);

		if (!has_old || !has_new || !part_same(f, old, i, new, j)) {
			/*
			 * The new value is added first: if both are the extreme, it need not be
			 * looked for again.
			 */
			if (has_new)
				add_one(f, new, j);
			if (has_old)
				remove_one(f, old, i);
		}
		i += has_old;
		j += has_new;
	}
}

void base_add(struct merged_group *g, struct merged_family *f, const struct part *p, uint32_t at,
	      int times)
{
	struct merged_series *s = &f->series[p->list->v[at]];
	struct undo *u;

	if (!s->in_base) {
		undo_save_state(g, f, p->list->v[at]);
		s->in_base = true;
	}
	sums_add(f, &s->base, p, at, times);
	sums_add(f, &s->all, p, at, times);
	family_changed(g, f, false, true);
	u = undo_add(g, UNDO_BASE);
	u->f = f;
	u->series = p->list->v[at];
	u->old = (struct part *)p;
	u->at = at;
	u->times = times;
}
