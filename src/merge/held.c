/* What a summed group holds, counted as it changes. */
#include "merge/internal.h"

static size_t bytes_of_exemplars(const struct exemplars *e)
{
	size_t n = 0;

	for (uint32_t i = 0; e && i < e->n; i++) {
		const struct kept_exemplar *k = &e->list[i];

		n += sizeof(*k) + k->n_labels * sizeof(*k->labels);
		for (uint32_t j = 0; j < k->n_labels; j++)
			n += k->labels[j].name.n + k->labels[j].value.n;
	}
	return n;
}

static void count_part(struct merged_group *g, const struct merged_family *f, const struct part *p,
		       int sign)
{
	size_t text = 0;

	if (!p)
		return;
	for (uint32_t i = 0; p->has_exemplars && i < p->list->n; i++)
		text += bytes_of_exemplars(part_exemplars(p)[i]);
	g->n_values += (size_t)sign * part_values(f, p);
	g->held.parts += (size_t)sign;
	g->held.text += (size_t)sign * text;
}

void held_part(struct merged_group *g, const struct merged_family *f, const struct part *old,
	       const struct part *new)
{
	count_part(g, f, old, -1);
	count_part(g, f, new, 1);
}

void held_series(struct merged_group *g, const struct merged_family *f,
		 const struct merged_series *s, int sign)
{
	size_t text = s->n_labels * sizeof(*s->labels);

	for (uint32_t i = 0; i < s->n_labels; i++)
		text += s->labels[i].name.n + s->labels[i].value.n;
	g->held.series += (size_t)sign;
	g->held.text += (size_t)sign * text;
	for (uint32_t i = 0; i < f->n_layouts; i++)
		g->held.bounds += (size_t)sign * f->layouts[i].n;
}

void held_layout(struct merged_group *g, const struct merged_family *f, const struct layout *l,
		 int sign)
{
	g->held.bounds += (size_t)sign * l->n * ((size_t)f->n + 1);
}

void held_family(struct merged_group *g, const struct merged_family *f, int sign)
{
	g->held.families += (size_t)sign;
	g->held.text += (size_t)sign * (f->name.n + f->help.n + f->unit.n);
	for (uint32_t i = 0; i < f->n_layouts; i++)
		g->held.bounds += (size_t)sign * f->layouts[i].n;
	for (uint32_t i = 0; i < f->n; i++)
		held_series(g, f, &f->series[i], sign);
}
