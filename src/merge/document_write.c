/* A group as documents. */
#include "merge/document.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "merge/document_format.h"
#include "merge/document_numbers.h"

static void put_dist(struct strbuf *b, const struct merged_family *f, const struct part_dist *d)
{
	put(b, d->layout);
	put_double(b, d->count);
	for (uint32_t j = 0; j < f->layouts[d->layout].n; j++)
		put_double(b, dist_bucket(d, j));
	if (f->type != METRIC_SUMMARY)
		put_native(b, dist_native(f, d));
}

void put_part(struct strbuf *b, const struct merged_family *f, const struct part *p)
{
	const uint32_t *gone;
	uint32_t n_gone;

	put(b, p->number);
	put(b, p->list->n);
	put(b, (uint64_t)(p->created_width > 0) | (uint64_t)(part_exemplars(p) != NULL) << 1);
	for (uint32_t i = 0; i < p->list->n; i++) {
		put(b, i ? p->list->v[i] - p->list->v[i - 1] : p->list->v[0]);
		put_double(b, part_value(p, i));
		if (p->created_width > 0)
			put_double(b, part_created_at(p, i));
		if (part_exemplars(p))
			put_exemplars(b, part_exemplars(p)[i]);
		if (!part_dists(p))
			continue;
		put_dist(b, f, *part_dist_at(p, i));
	}
	gone = part_gone(p, &n_gone);
	put(b, n_gone);
	for (uint32_t i = 0; i < n_gone; i++)
		put(b, gone[i]);
}

static void put_held(struct strbuf *b, const struct merged_family *f, const struct merged_series *s)
{
	if (f->type != METRIC_GAUGE_HISTOGRAM)
		return;
	put(b, s->held != NULL);
	if (s->held)
		put_part(b, f, s->held);
}

static void put_base(struct strbuf *b, const struct merged_family *f, const struct merged_series *s)
{
	switch (f->policy) {
	case MERGE_SUM:
		put(b, s->in_base);
		if (s->in_base)
			put_sums(b, f, &s->base);
		break;
	case MERGE_MOSTRECENT:
		put(b, !s->by && s->number ? s->number : 0);
		if (!s->by && s->number) {
			put(b, s->there);
			put_double(b, s->value);
			put_held(b, f, s);
		}
		break;
	case MERGE_MAX:
	case MERGE_MIN:
		put(b, s->in_base);
		if (s->in_base)
			put_double(b, s->base_value);
		break;
	default:
		break;
	}
}

static void write_family(const struct merged_family *f, struct strbuf *b)
{
	put(b, DOCUMENT_VERSION);
	put(b, DOCUMENT_FAMILY);
	put_str(b, f->name);
	put(b, f->has_help);
	put_str(b, f->help);
	put_str(b, f->unit);
	put(b, f->type);
	put(b, f->policy);
	put(b, f->n_layouts);
	for (uint32_t i = 0; i < f->n_layouts; i++) {
		put(b, f->layouts[i].n);
		strbuf_add(b, f->layouts[i].bounds, f->layouts[i].n * sizeof(double));
	}
	put(b, f->shown_layout);
	put(b, f->shown_number);
	put(b, f->n);
	for (uint32_t i = 0; i < f->n; i++) {
		const struct merged_series *s = &f->series[i];

		put(b, s->n_labels);
		for (uint32_t j = 0; j < s->n_labels; j++) {
			put_str(b, s->labels[j].name);
			put_str(b, s->labels[j].value);
		}
		put_double(b, s->since);
		if (f->policy == MERGE_SUM && f->type == METRIC_HISTOGRAM)
			put_shape(b, &s->native);
		put_exemplars(b, s->base_exemplars);
		put_base(b, f, s);
	}
}

static bool is_written(const struct merged_group *g, const struct contribution *c, uint32_t i)
{
	return c->parts[i] && g->families[i] && !g->families[i]->dropped;
}

static void write_contribution(const struct merged_group *g, const struct contribution *c,
			       struct strbuf *b)
{
	uint32_t n = 0;

	put(b, DOCUMENT_VERSION);
	put(b, DOCUMENT_CONTRIBUTION);
	put_str(b, c->name);
	put(b, (uint64_t)c->has_start | (uint64_t)c->live << 1 | (uint64_t)c->ended << 2 |
		       (uint64_t)c->returned << 3);
	put(b, c->first);
	put_double(b, c->start);
	put_double(b, c->pushed_at);
	put_double(b, c->failed_at);
	put_str(b, c->failed_at > c->pushed_at && c->failed_why ? str_of(c->failed_why) : STR(""));
	put_double(b, c->source_ttl);
	for (size_t i = 0; i < ARRAY_LEN(c->resets); i++)
		put_double(b, c->resets[i]);
	for (uint32_t i = 0; i < c->n_parts; i++)
		n += is_written(g, c, i);
	put(b, n);
	for (uint32_t i = 0; i < c->n_parts; i++) {
		CLEANUP(strbuf_done) struct strbuf part = { 0 };

		if (!is_written(g, c, i))
			continue;
		put_part(&part, g->families[i], c->parts[i]);
		put(b, g->families[i]->doc.id);
		put_str(b, strbuf_str(&part));
	}
}

static void write_contribution_once(struct merged_group *g, struct contribution *c,
				    struct strbuf *b, document_fn fn, void *arg)
{
	if (!c->changed || c->removed)
		return;
	c->changed = false;
	b->n = 0;
	write_contribution(g, c, b);
	fn(arg, &c->doc, strbuf_str(b));
}

/* The contributions that have changed are those in the list of what can be undone. */
void merged_documents(struct merged_group *g, document_fn fn, void *arg)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	for (uint32_t i = 0; i < g->n_families; i++) {
		struct merged_family *f = g->families[i];

		if (!f || (!f->base_changed && !f->dropped))
			continue;
		b.n = 0;
		if (!f->dropped)
			write_family(f, &b);
		fn(arg, &f->doc, strbuf_str(&b));
	}
	for (size_t i = 0; i < g->n_undo; i++) {
		struct undo *u = &g->undo[i];

		if (u->kind == UNDO_REMOVED)
			fn(arg, &u->c->doc, STR_NULL);
		else if (u->kind == UNDO_FIELDS || u->kind == UNDO_ADDED)
			write_contribution_once(g, u->c, &b, fn, arg);
	}
}

void merged_all_documents(struct merged_group *g, document_fn fn, void *arg)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	for (uint32_t i = 0; i < g->n_families; i++) {
		if (!g->families[i] || g->families[i]->dropped)
			continue;
		b.n = 0;
		write_family(g->families[i], &b);
		fn(arg, &g->families[i]->doc, strbuf_str(&b));
	}
	for (size_t i = 0; i < g->n; i++) {
		b.n = 0;
		write_contribution(g, g->contributions[i], &b);
		fn(arg, &g->contributions[i]->doc, strbuf_str(&b));
	}
}

void merged_each_document(struct merged_group *g, void (*fn)(void *arg, struct document *doc),
			  void *arg)
{
	for (uint32_t i = 0; i < g->n_families; i++)
		if (g->families[i])
			fn(arg, &g->families[i]->doc);
	for (size_t i = 0; i < g->n; i++)
		fn(arg, &g->contributions[i]->doc);
}
