/* Pushes of increments: they go into the base of the group, and belong to no contribution. */
#include "base/mem.h"
#include "merge/internal.h"

static void add_sums(struct merged_group *g, struct merged_family *f, const struct said_family *sf,
		     const struct pick *picks)
{
	struct part *p = part_make(g, f, picks, sf->n, sf, NULL, NULL, 0, g->next_number);

	if (!p)
		return;
	struct part_dist **dists = part_dists(p);

	undo_add(g, UNDO_OWNED)->new = p;
	for (uint32_t i = 0; i < p->list->n; i++) {
		base_add(g, f, p, i, 1);
		series_note_exemplars(g, f, p, i, true);
		if (dists && f->type == METRIC_HISTOGRAM)
			series_note_native(g, f, p->list->v[i], dist_native(f, dists[i]));
	}
	if (dists && f->shown_number == 0)
		family_show_layout(g, f, dists[0]->layout, g->next_number);
}

static void add_recent(struct merged_group *g, struct merged_family *f, uint32_t series, double v)
{
	struct merged_series *s = &f->series[series];

	undo_save_state(g, f, series);
	family_changed(g, f, !s->there, true);
	s->value = v;
	s->number = g->next_number;
	s->by = NULL;
	s->there = true;
}

static void add_gauge_histograms(struct merged_group *g, struct merged_family *f,
				 const struct said_family *sf, const struct pick *picks)
{
	struct part *p = part_make(g, f, picks, sf->n, sf, NULL, NULL, 0, g->next_number);

	if (!p)
		return;
	undo_add(g, UNDO_OWNED)->new = p;
	for (uint32_t i = 0; i < p->list->n; i++) {
		add_recent(g, f, p->list->v[i], part_value(p, i));
		series_hold(g, f, p, i);
		series_note_exemplars(g, f, p, i, true);
	}
}

static void add_gauge(struct merged_group *g, struct merged_family *f, uint32_t series, double v)
{
	switch (f->policy) {
	case MERGE_MOSTRECENT:
		add_recent(g, f, series, v);
		break;
	case MERGE_MAX:
	case MERGE_MIN:
		set_extreme(g, f, series, v);
		keep_extreme(g, f, series, v);
		break;
	default:
		break;
	}
}

/* Whether a series of the family has more than a single value, or a sum. */
static bool is_whole(const struct merged_family *f)
{
	return f->policy == MERGE_SUM || f->type == METRIC_GAUGE_HISTOGRAM;
}

static int add_family(struct merged_group *g, const struct said_family *sf, double now,
		      struct err *err)
{
	struct merged_family *f = family_find(g, sf->name);
	CLEANUP(freep) struct pick *picks = NULL;
	uint32_t layouts;
	char quoted[128];

	if (f && f->type != sf->type)
		return err_set(err, ERR_INVALID, 0,
			       "metric family %s has been added to this group with another type",
			       str_quote(sf->name, quoted, sizeof(quoted)));
	if (f && f->policy != sf->policy) {
		family_drop(g, f);
		f = NULL;
	}
	if (!f)
		f = family_add(g, sf);
	layouts = f->n_layouts;
	picks = family_picks(g, f, sf, now);
	if (f->policy == MERGE_SUM)
		add_sums(g, f, sf, picks);
	else if (f->type == METRIC_GAUGE_HISTOGRAM)
		add_gauge_histograms(g, f, sf, picks);
	for (uint32_t i = 0; !is_whole(f) && i < sf->n; i++)
		add_gauge(g, f, picks[i].series, sf->metrics[picks[i].at].value);
	return family_check_layouts(f, layouts, err);
}

int merged_add(struct merged_group *g, const struct said *said, double now, struct err *err)
{
	size_t mark = merged_mark(g);

	for (uint32_t i = 0; i < said->n; i++)
		if (add_family(g, &said->families[i], now, err) < 0) {
			merged_undo(g, mark);
			return -1;
		}
	g->next_number++;
	return 0;
}
