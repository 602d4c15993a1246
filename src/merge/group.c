/* A summed group as a whole, and how contributions leave it. */
#include "merge/group.h"

#include <stdlib.h>

#include "base/mem.h"
#include "merge/internal.h"

struct merged_group *merged_group_new(void)
{
	struct merged_group *g = mem_zalloc(sizeof(*g));

	g->next_number = g->next_id = 1;
	return g;
}

void merged_group_free(struct merged_group *g)
{
	if (!g)
		return;
	merged_commit(g);
	for (size_t i = 0; i < g->n; i++)
		contribution_free(g->contributions[i]);
	for (uint32_t i = 0; i < g->n_families; i++)
		if (g->families[i])
			family_free(g->families[i]);
	free(g->contributions);
	free(g->families);
	table_done(&g->by_source);
	table_done(&g->by_name);
	table_done(&g->by_id);
	free(g->undo);
	free(g);
}

/* ---- folding ---- */

static void fold_recent(struct merged_group *g, struct merged_family *f, uint32_t series,
			const struct contribution *c)
{
	if (f->series[series].by != c)
		return;
	undo_save_state(g, f, series);
	f->series[series].by = NULL;
	family_changed(g, f, false, true);
}

static void fold_value(struct merged_group *g, struct merged_family *f,
		       const struct contribution *c, const struct part *p, uint32_t at)
{
	switch (f->policy) {
	case MERGE_SUM:
		base_add(g, f, p, at, 1);
		series_note_exemplars(g, f, p, at, true);
		break;
	case MERGE_MOSTRECENT:
		if (f->type == METRIC_GAUGE_HISTOGRAM && f->series[p->list->v[at]].by == c)
			series_hold(g, f, p, at);
		series_note_exemplars(g, f, p, at, true);
		fold_recent(g, f, p->list->v[at], c);
		break;
	case MERGE_MAX:
	case MERGE_MIN:
		keep_extreme(g, f, p->list->v[at], part_value(p, at));
		break;
	default:
		break;
	}
}

void merged_fold(struct merged_group *g, struct contribution *c)
{
	for (uint32_t i = 0; i < c->n_parts; i++) {
		struct merged_family *f = c->parts[i] ? g->families[i] : NULL;
		const struct part *p = c->parts[i];
		const uint32_t *gone;
		uint32_t n_gone;

		if (!f || f->dropped)
			continue;
		gone = part_gone(p, &n_gone);
		for (uint32_t j = 0; j < p->list->n; j++)
			fold_value(g, f, c, p, j);
		for (uint32_t j = 0; j < n_gone; j++)
			fold_recent(g, f, gone[j], c);
		contribution_say(g, c, f, NULL);
	}
	contribution_remove(g, c);
}

/* ---- the end of a source ---- */

void merged_end(struct merged_group *g, struct contribution *c)
{
	undo_save_fields(g, c);
	c->ended = true;
	c->changed = true;
	for (uint32_t i = 0; i < c->n_parts; i++) {
		struct merged_family *f = c->parts[i] ? g->families[i] : NULL;

		if (!f || f->dropped || !merge_policy_is_live(f->policy))
			continue;
		contribution_say(g, c, f, NULL);
		family_changed(g, f, true, false);
	}
	merged_set_live(g, c, false);
	if (!c->has_start)
		merged_fold(g, c);
}

static bool ends_with(const struct contribution *c, const struct source *source)
{
	return str_eq(c->name, source->name) &&
	       (!source->has_start || (c->has_start && c->start == source->start));
}

bool merged_end_source(struct merged_group *g, const struct source *source)
{
	bool any = false;

	/* Backwards, since folding a contribution moves the last one into its place. */
	for (size_t i = g->n; i > 0; i--) {
		struct contribution *c = g->contributions[i - 1];

		if (!ends_with(c, source))
			continue;
		any = true;
		if (!c->ended)
			merged_end(g, c);
	}
	return any;
}

void merged_refused(struct merged_group *g, const struct source *source, double now,
		    const char *why)
{
	struct contribution *c = merged_find(g, source, NULL);

	if (!c)
		return;
	undo_save_refusal(g, c);
	c->failed_at = now;
	c->failed_why = mem_strdup(why);
	c->changed = true;
}
