/*
 * Puts documents that other gateways have written over those of a group. State that follows from
 * all documents together is updated by what has changed in each of them. That works because numbers
 * of pushes only grow, and the largest, smallest or last value of a contribution goes into the base
 * before the contribution loses it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "merge/document_apply.h"
#include "merge/document_format.h"
#include "merge/document_numbers.h"

void merged_news_done(struct merged_news *n)
{
	table_done(&n->by_id);
}

static void note_id(struct merged_group *g, uint64_t id)
{
	if (id >= g->next_id)
		g->next_id = id + 1;
}

/* ---- what is gone ---- */

/* Most documents are of a family, or of a contribution that is found by its name. */
static struct contribution *contribution_by_id(struct merged_news *n, uint64_t id)
{
	struct contribution *c;

	for (size_t i = 0; !n->has_ids && i < n->group->n; i++)
		table_add(&n->by_id, n->group->contributions[i]->doc.id,
			  n->group->contributions[i]);
	n->has_ids = true;
	for (size_t at = table_first(&n->by_id, id); (c = table_next(&n->by_id, id, &at));)
		if (c->doc.id == id && !c->removed)
			return c;
	return NULL;
}

/*
 * The contribution is no longer the one that pushed the series last: the base holds that value, or
 * another contribution has pushed the series since.
 */
static void let_go(struct merged_group *g, struct merged_family *f, uint32_t series,
		   const struct contribution *c)
{
	if (f->series[series].by != c)
		return;
	undo_save_state(g, f, series);
	f->series[series].by = NULL;
}

static void leave(struct merged_news *n, struct contribution *c)
{
	struct merged_group *g = n->group;

	for (uint32_t i = 0; i < c->n_parts; i++) {
		struct merged_family *f = c->parts[i] ? g->families[i] : NULL;
		const struct part *p = c->parts[i];
		const uint32_t *gone;
		uint32_t n_gone;

		if (!f || f->dropped)
			continue;
		gone = part_gone(p, &n_gone);
		for (uint32_t j = 0; j < p->list->n; j++)
			let_go(g, f, p->list->v[j], c);
		for (uint32_t j = 0; j < n_gone; j++)
			let_go(g, f, gone[j], c);
		contribution_say(g, c, f, NULL);
	}
	contribution_remove(g, c);
	n->said(n->arg, &c->doc, false);
}

static void apply_gone(struct merged_news *n, uint64_t id)
{
	struct merged_family *f = family_by_id(n->group, id);
	struct contribution *c = f ? NULL : contribution_by_id(n, id);

	if (f) {
		family_drop(n->group, f);
		n->said(n->arg, &f->doc, false);
	} else if (c) {
		leave(n, c);
	}
}

void merged_news_make_free(struct merged_news *n, uint64_t id)
{
	struct contribution *c = id < n->group->next_id ? contribution_by_id(n, id) : NULL;

	if (c)
		leave(n, c);
}

static void say_recent(struct merged_group *g, struct contribution *c, struct merged_family *f,
		       const struct part *p)
{
	uint32_t n_gone;
	const uint32_t *gone = part_gone(p, &n_gone);

	for (uint32_t i = 0; i < p->list->n + n_gone; i++) {
		bool there = i < p->list->n;
		uint32_t series = there ? p->list->v[i] : gone[i - p->list->n];
		struct merged_series *s = &f->series[series];

		if (p->number < s->number)
			continue;
		undo_save_state(g, f, series);
		s->number = p->number;
		s->by = c;
		s->there = there;
		s->value = there ? part_value(p, i) : 0;
	}
}

static void say(struct merged_group *g, struct contribution *c, struct merged_family *f,
		struct part *p)
{
	contribution_load_part(g, c, f, p);
	if (!p)
		return;
	if (f->policy == MERGE_MOSTRECENT)
		say_recent(g, c, f, p);
	for (uint32_t i = 0; i < p->list->n; i++)
		series_note_exemplars(g, f, p, i, false);
}

/*
 * Whether the part is the same as that in the document. A document has all parts of its
 * contribution, of which a push changes a few.
 */
static bool is_said(const struct merged_family *f, const struct part *p, struct str bytes)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	if (!p)
		return false;
	put_part(&b, f, p);
	return str_eq(strbuf_str(&b), bytes);
}

static void apply_parts(struct merged_group *g, struct contribution *c, struct reader *r,
			uint32_t n_parts)
{
	CLEANUP(freep) bool *kept = mem_zalloc(g->n_families * sizeof(*kept));

	for (uint32_t i = 0; i < n_parts && !r->bad; i++) {
		struct merged_family *f = family_by_id(g, take(r));
		struct reader part = { .rest = take_str(r) };

		if (!f || r->bad)
			continue;
		kept[f->index] = true;
		if (is_said(f, contribution_part(c, f), part.rest))
			continue;
		say(g, c, f, take_part(&part, g, f));
		r->bad |= part.bad || part.rest.n > 0;
	}
	for (uint32_t i = 0; i < c->n_parts && !r->bad; i++)
		if (c->parts[i] && !kept[i] && !g->families[i]->dropped)
			contribution_say(g, c, g->families[i], NULL);
}

static struct contribution *contribution_for(struct merged_news *n, const struct document *doc,
					     const struct contribution_head *h)
{
	struct merged_group *g = n->group;
	struct contribution *c = merged_find(g, &h->source, NULL);
	uint64_t next = g->next_id;

	if (c && c->doc.id == doc->id && c->first == h->first)
		return c;
	/* The contribution that had the id was removed, and another one has it. */
	if (c)
		leave(n, c);
	merged_news_make_free(n, doc->id);
	c = contribution_add(g, &h->source);
	c->doc = *doc;
	g->next_id = next;
	return c;
}

static int64_t heard_at(const struct merged_news *n, double pushed_at)
{
	double ago = n->now - pushed_at;

	return n->now_ns - (ago <= 0 ? 0 : ago < 9e9 ? (int64_t)(ago * 1e9) : INT64_MAX);
}

static void apply_contribution(struct merged_news *n, struct reader *r, const struct document *doc)
{
	struct merged_group *g = n->group;
	struct contribution_head h;
	struct contribution *c;

	if (!take_contribution(r, g, &h))
		return;
	c = contribution_for(n, doc, &h);
	undo_save_fields(g, c);
	merged_set_live(g, c, h.live);
	apply_parts(g, c, r, h.n_parts);
	contribution_set_head(c, &h);
	c->heard_ns = heard_at(n, h.pushed_at);
	n->said(n->arg, &c->doc, true);
}

/* ---- ---- */

int merged_apply(struct merged_news *n, uint64_t id, struct str bytes, struct err *err)
{
	const struct document doc = { .id = id };
	struct reader r = { .rest = bytes };
	uint64_t version, kind;

	if (bytes.n == 0) {
		apply_gone(n, id);
		return 0;
	}
	version = take(&r);
	kind = take(&r);
	if (version == DOCUMENT_VERSION && kind == DOCUMENT_FAMILY)
		merged_news_family(n, &r, &doc);
	else if (version == DOCUMENT_VERSION && kind == DOCUMENT_CONTRIBUTION)
		apply_contribution(n, &r, &doc);
	else
		r.bad = true;
	note_id(n->group, id);
	if (!r.bad && r.rest.n == 0)
		return 0;
	return err_set(err, ERR_STORAGE, 0, "document %llu of a summed group is damaged",
		       (unsigned long long)id);
}
