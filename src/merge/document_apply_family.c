/* Puts the document of a family that another gateway has written over that family. */
#include "base/mem.h"
#include "merge/document_apply.h"
#include "merge/document_numbers.h"

/* Whether `to` is f with nothing but further series and layouts. */
static bool is_grown(const struct merged_family *f, const struct merged_family *to)
{
	if (!str_eq(f->name, to->name) || !str_eq(f->help, to->help) ||
	    !str_eq(f->unit, to->unit) || f->has_help != to->has_help || f->type != to->type ||
	    f->policy != to->policy || f->n_layouts > to->n_layouts || f->n > to->n)
		return false;
	for (uint32_t i = 0; i < f->n_layouts; i++)
		if (f->layouts[i].n != to->layouts[i].n ||
		    !str_eq((struct str){ (const char *)f->layouts[i].bounds,
					  f->layouts[i].n * sizeof(double) },
			    (struct str){ (const char *)to->layouts[i].bounds,
					  to->layouts[i].n * sizeof(double) }))
			return false;
	for (uint32_t i = 0; i < f->n; i++)
		if (f->series[i].hash != to->series[i].hash ||
		    !said_same_labels(f->series[i].labels, f->series[i].n_labels,
				      to->series[i].labels, to->series[i].n_labels))
			return false;
	return true;
}

static void grow(struct merged_group *g, struct merged_family *f, const struct merged_family *to)
{
	for (uint32_t i = f->n_layouts; i < to->n_layouts; i++)
		family_layout(g, f,
			      &(struct said_dist){ .n = to->layouts[i].n,
						   .bounds = to->layouts[i].bounds });
	for (uint32_t i = f->n; i < to->n; i++) {
		const struct merged_series *s = &to->series[i];
		uint32_t hint = i;

		family_series(g, f,
			      &(struct said_metric){ .labels = s->labels,
						     .n_labels = s->n_labels,
						     .hash = s->hash },
			      &hint);
	}
}

static void exchange_sums(struct merged_group *g, struct merged_family *f, uint32_t series,
			  struct sums *with)
{
	struct merged_series *s = &f->series[series];
	struct undo *u = undo_add(g, UNDO_SUMS);

	u->f = f;
	u->series = series;
	u->sums = mem_dup(&s->base, sizeof(s->base));
	sums_add_sums(f, &s->all, &s->base, -1);
	sums_add_sums(f, &s->all, with, 1);
	s->base = *with;
	*with = (struct sums){ 0 };
}

static void exchange_held(struct merged_group *g, struct merged_family *f, uint32_t series,
			  struct part *with)
{
	struct undo *u = undo_add(g, UNDO_HELD);

	u->f = f;
	u->series = series;
	u->old = f->series[series].held;
	u->new = f->series[series].held = with;
}

static void exchange_exemplars(struct merged_group *g, struct merged_family *f, uint32_t series,
			       struct exemplars *with)
{
	struct merged_series *s = &f->series[series];
	struct undo *u;

	if (!with && !s->base_exemplars)
		return;
	u = undo_add(g, UNDO_EXEMPLARS);
	u->f = f;
	u->series = series;
	u->exemplars[0] = s->exemplars;
	u->exemplars[1] = s->base_exemplars;
	s->base_exemplars = exemplars_ref(with);
	s->exemplars = with ? exemplars_newest(s->exemplars, with->list, with->n)
			    : exemplars_ref(s->exemplars);
}

/* The last value that the base holds counts only if no contribution has pushed the series since. */
static void base_says(struct merged_group *g, struct merged_family *f, uint32_t series,
		      struct merged_series *with)
{
	struct merged_series *s = &f->series[series];

	if (with->number == 0 || with->number < s->number)
		return;
	s->number = with->number;
	s->by = NULL;
	s->there = with->there;
	s->value = with->value;
	if (s->held || with->held)
		exchange_held(g, f, series, TAKE(with->held));
}

static void apply_series(struct merged_group *g, struct merged_family *f, uint32_t series,
			 struct merged_series *with)
{
	struct merged_series *s = &f->series[series];

	undo_save_state(g, f, series);
	s->since = with->since;
	s->native = with->native;
	exchange_exemplars(g, f, series, with->base_exemplars);
	switch (f->policy) {
	case MERGE_SUM:
		if (s->in_base || with->in_base)
			exchange_sums(g, f, series, &with->base);
		s->in_base = with->in_base;
		break;
	case MERGE_MOSTRECENT:
		base_says(g, f, series, with);
		break;
	case MERGE_MAX:
	case MERGE_MIN:
		if (with->in_base)
			set_extreme(g, f, series, with->base_value);
		s->in_base = with->in_base;
		s->base_value = with->base_value;
		break;
	default:
		break;
	}
}

static void apply_new_family(struct merged_news *n, struct reader *r, const struct document *doc)
{
	struct merged_group *g = n->group;
	uint64_t next = g->next_id;

	merged_news_make_free(n, doc->id);
	take_family(r, g, doc);
	g->next_id = next;
	if (!r->bad)
		n->said(n->arg, &family_by_id(g, doc->id)->doc, true);
}

void merged_news_family(struct merged_news *n, struct reader *r, const struct document *doc)
{
	struct merged_group *g = n->group, *alone;
	struct merged_family *f = family_by_id(g, doc->id), *to;

	if (!f) {
		apply_new_family(n, r, doc);
		return;
	}
	alone = merged_group_new();
	take_family(r, alone, doc);
	to = r->bad ? NULL : alone->families[0];
	if (to && is_grown(f, to)) {
		family_changed(g, f, true, true);
		grow(g, f, to);
		for (uint32_t i = 0; i < f->n; i++)
			apply_series(g, f, i, &to->series[i]);
		family_show_layout(g, f, to->shown_layout, to->shown_number);
		if (alone->next_number > g->next_number)
			g->next_number = alone->next_number;
		n->said(n->arg, &f->doc, true);
	} else {
		r->bad = true;
	}
	merged_group_free(alone);
}
