/* Documents back into a group. They may be damaged: every number is checked before it is used. */
#include "merge/document.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"
#include "merge/document_format.h"
#include "merge/document_numbers.h"

/* The next push gets a number above all that are in documents. */
static uint64_t take_number(struct reader *r, struct merged_group *g)
{
	uint64_t number = take(r);

	r->bad |= number > PART_MAX_NUMBER;
	if (number >= g->next_number && !r->bad)
		g->next_number = number + 1;
	return number;
}

/* A part as if it had been pushed, since part_make() makes parts of pushes. */
struct read_part {
	struct said_family sf;
	struct said_dist *dists;
	struct exemplars **exemplars;
	struct pick *picks;
	uint32_t *gone, n_gone;
};

/* Whether each series has a count, and maybe buckets, beside its value. */
static bool has_dists(const struct merged_family *f)
{
	return f->type == METRIC_HISTOGRAM || f->type == METRIC_SUMMARY ||
	       f->type == METRIC_GAUGE_HISTOGRAM;
}

static void take_value(struct reader *r, const struct merged_family *f, uint64_t flags,
		       struct read_part *rp, uint32_t i)
{
	struct said_metric *m = &rp->sf.metrics[i];
	uint64_t step = take(r);

	m->value = take_double(r);
	m->created = flags & 1 ? said_creation(take_double(r)) : 0;
	rp->exemplars[i] = flags & 2 ? take_exemplars(r) : NULL;
	if (rp->exemplars[i]) {
		m->exemplars = rp->exemplars[i]->list;
		m->n_exemplars = rp->exemplars[i]->n;
	}
	rp->picks[i] = (struct pick){ (uint32_t)(i ? rp->picks[i - 1].series + step : step), i,
				      false, m->created };
	if (rp->picks[i].series >= f->n || (i > 0 && step == 0))
		r->bad = true;
	if (r->bad || !has_dists(f))
		return;
	uint64_t layout = take(r);
	struct said_dist *d = &rp->dists[i];

	if (layout >= f->n_layouts) {
		r->bad = true;
		return;
	}
	*d = (struct said_dist){ .count = take_double(r),
				 .n = f->layouts[layout].n,
				 .bounds = f->layouts[layout].bounds };
	const char *p = take_bytes(r, d->n * sizeof(double));

	d->counts = p ? mem_dup(p, d->n * sizeof(double)) : NULL;
	if (f->type != METRIC_SUMMARY)
		d->native = take_native(r);
	m->dist = d;
}

static void read_part_done(struct read_part *rp)
{
	for (uint32_t i = 0; i < rp->sf.n; i++) {
		free((void *)rp->dists[i].counts);
		free((void *)rp->dists[i].native);
		exemplars_unref(rp->exemplars[i]);
	}
	free(rp->sf.metrics);
	free(rp->dists);
	free(rp->exemplars);
	free(rp->picks);
	free(rp->gone);
}

struct part *take_part(struct reader *r, struct merged_group *g, struct merged_family *f)
{
	uint64_t number = take_number(r, g);
	uint32_t n = take_count(r);
	uint64_t flags = take(r);
	struct read_part rp = {
		.sf = { .n = n, .metrics = mem_zalloc(n * sizeof(*rp.sf.metrics)) },
		.dists = mem_zalloc(n * sizeof(*rp.dists)),
		.exemplars = mem_zalloc(n * sizeof(struct exemplars *)),
		.picks = mem_zalloc(n * sizeof(*rp.picks)),
	};
	struct part *p = NULL;

	for (uint32_t i = 0; i < n && !r->bad; i++)
		take_value(r, f, flags, &rp, i);
	rp.n_gone = take_count(r);
	rp.gone = mem_zalloc(rp.n_gone * sizeof(*rp.gone));
	for (uint32_t i = 0; i < rp.n_gone && !r->bad; i++) {
		rp.gone[i] = (uint32_t)take(r);
		r->bad |= rp.gone[i] >= f->n;
	}
	if (!r->bad)
		p = part_make(g, f, rp.picks, n, &rp.sf, NULL, rp.gone, rp.n_gone, number);
	read_part_done(&rp);
	return p;
}

/* A gauge histogram whose contribution is gone is written as a part with this one series. */
static void take_held(struct reader *r, struct merged_group *g, struct merged_family *f,
		      struct merged_series *s)
{
	if (f->type != METRIC_GAUGE_HISTOGRAM || !take(r))
		return;
	s->held = take_part(r, g, f);
	r->bad |= !s->held || s->held->list->n != 1 ||
		  s->held->list->v[0] != (uint32_t)(s - f->series);
}

static void take_base(struct reader *r, struct merged_group *g, struct merged_family *f,
		      struct merged_series *s)
{
	switch (f->policy) {
	case MERGE_SUM:
		s->in_base = take(r);
		if (s->in_base) {
			take_sums(r, f, &s->base);
			sums_add_sums(f, &s->all, &s->base, 1);
		}
		break;
	case MERGE_MOSTRECENT:
		s->number = take_number(r, g);
		if (s->number) {
			s->there = take(r);
			s->value = take_double(r);
			take_held(r, g, f, s);
		}
		break;
	case MERGE_MAX:
	case MERGE_MIN:
		s->in_base = take(r);
		if (s->in_base)
			s->value = s->base_value = take_double(r);
		break;
	default:
		break;
	}
}

static void take_series(struct reader *r, struct merged_group *g, struct merged_family *f)
{
	uint32_t n = take_count(r), before = f->n;
	struct label *labels = mem_alloc(n * sizeof(*labels));
	CLEANUP(strbuf_done) struct strbuf id = { 0 };
	struct said_metric m = { .labels = labels, .n_labels = n };
	double since;

	for (uint32_t i = 0; i < n; i++) {
		labels[i].name = take_str(r);
		labels[i].value = take_str(r);
	}
	since = take_time(r);
	m.hash = said_hash_labels(labels, n, &id);
	if (!r->bad && family_lookup(f, &m) == UINT32_MAX) {
		uint32_t hint = 0;

		family_series(g, f, &m, &hint);
		f->series[before].since = since;
		if (f->policy == MERGE_SUM && f->type == METRIC_HISTOGRAM)
			f->series[before].native = take_shape(r);
		f->series[before].base_exemplars = take_exemplars(r);
		f->series[before].exemplars = exemplars_ref(f->series[before].base_exemplars);
		take_base(r, g, f, &f->series[before]);
	} else {
		r->bad = true;
	}
	free(labels);
}

static void take_layouts(struct reader *r, struct merged_group *g, struct merged_family *f)
{
	uint32_t n = take_count(r);

	for (uint32_t i = 0; i < n && !r->bad; i++) {
		struct said_dist d = { .n = take_count(r) };
		const char *p = take_bytes(r, d.n * sizeof(double));
		double *bounds = p ? mem_dup(p, d.n * sizeof(double)) : NULL;

		d.bounds = bounds;
		if (p && family_layout(g, f, &d) != i)
			r->bad = true;
		free(bounds);
	}
}

void take_family(struct reader *r, struct merged_group *g, const struct document *doc)
{
	struct said_family sf = { .name = take_str(r), .has_help = take(r) };
	struct merged_family *f;
	uint32_t n;

	sf.help = take_str(r);
	sf.unit = take_str(r);
	sf.type = (uint8_t)take(r);
	sf.policy = (uint8_t)take(r);
	if (r->bad || sf.policy >= N_MERGE_POLICIES || family_find(g, sf.name)) {
		r->bad = true;
		return;
	}
	f = family_add(g, &sf);
	family_is_document(g, f, doc);
	take_layouts(r, g, f);
	f->shown_layout = (uint32_t)take(r);
	f->shown_number = take_number(r, g);
	n = take_count(r);
	for (uint32_t i = 0; i < n && !r->bad; i++)
		take_series(r, g, f);
	r->bad |= f->n_layouts > 0 && f->shown_layout >= f->n_layouts;
}

void contribution_load_part(struct merged_group *g, struct contribution *c, struct merged_family *f,
			    struct part *p)
{
	for (uint32_t i = 0; p && i < p->list->n; i++)
		if (f->policy == MERGE_MAX || f->policy == MERGE_MIN)
			set_extreme(g, f, p->list->v[i], part_value(p, i));
	contribution_say(g, c, f, p);
}

static char *own_z(struct str s)
{
	char *z = mem_alloc(s.n + 1);

	copy_bytes(z, s.p, s.n);
	z[s.n] = '\0';
	return z;
}

bool take_contribution(struct reader *r, struct merged_group *g, struct contribution_head *ret)
{
	uint64_t flags;

	*ret = (struct contribution_head){ .source.name = take_str(r) };
	flags = take(r);
	ret->first = take_number(r, g);
	ret->source.has_start = flags & 1;
	ret->live = flags >> 1 & 1;
	ret->ended = flags >> 2 & 1;
	ret->returned = flags >> 3 & 1;
	ret->source.start = take_double(r);
	ret->pushed_at = take_time(r);
	ret->failed_at = take_time(r);
	ret->why = take_str(r);
	ret->source_ttl = take_double(r);
	for (size_t i = 0; i < ARRAY_LEN(ret->resets); i++)
		ret->resets[i] = take_time(r);
	ret->n_parts = take_count(r);
	return !r->bad;
}

void contribution_set_head(struct contribution *c, const struct contribution_head *h)
{
	c->ended = h->ended;
	c->returned = h->returned;
	c->first = h->first;
	c->pushed_at = h->pushed_at;
	c->failed_at = h->failed_at;
	c->source_ttl = h->source_ttl;
	copy_bytes(c->resets, h->resets, sizeof(c->resets));
	free(c->failed_why);
	c->failed_why = h->why.n > 0 ? own_z(h->why) : NULL;
	c->changed = false;
}

static void load_contribution(struct reader *r, struct merged_group *g, const struct document *doc)
{
	struct contribution_head h;
	struct contribution *c;

	if (!take_contribution(r, g, &h))
		return;
	c = contribution_add(g, &h.source);
	c->doc = *doc;
	c->live = h.live;
	contribution_set_head(c, &h);
	for (uint32_t i = 0; i < h.n_parts && !r->bad; i++) {
		struct merged_family *f = family_by_id(g, take(r));
		struct reader part = { .rest = take_str(r) };

		/* The family may be gone, since another type has taken its name. */
		if (!f || r->bad)
			continue;
		contribution_load_part(g, c, f, take_part(&part, g, f));
		r->bad |= part.bad || part.rest.n > 0;
	}
}

bool document_is_family(struct str bytes)
{
	return bytes.n > 1 && bytes.p[1] == DOCUMENT_FAMILY;
}

int merged_load(struct merged_group *g, const struct document *doc, struct str bytes,
		struct err *err)
{
	struct reader r = { .rest = bytes };
	uint64_t version = take(&r), kind = take(&r);

	if (version == DOCUMENT_VERSION && kind == DOCUMENT_FAMILY)
		take_family(&r, g, doc);
	else if (version == DOCUMENT_VERSION && kind == DOCUMENT_CONTRIBUTION)
		load_contribution(&r, g, doc);
	else
		r.bad = true;
	if (doc->id >= g->next_id)
		g->next_id = doc->id + 1;
	if (!r.bad && r.rest.n == 0)
		return 0;
	return err_set(err, ERR_STORAGE, 0, "document %llu of a summed group is damaged",
		       (unsigned long long)doc->id);
}

/* ---- what follows from all documents together ---- */

/* The current value of a gauge is that of the push with the highest number. */
static void find_recent(struct contribution *c, struct merged_family *f, const struct part *p)
{
	uint32_t n_gone;
	const uint32_t *gone = part_gone(p, &n_gone);

	for (uint32_t i = 0; i < p->list->n + n_gone; i++) {
		bool there = i < p->list->n;
		struct merged_series *s = &f->series[there ? p->list->v[i] : gone[i - p->list->n]];

		if (p->number <= s->number)
			continue;
		s->number = p->number;
		s->by = c;
		s->there = there;
		s->value = there ? part_value(p, i) : 0;
	}
}

static void find_shown(const struct contribution *c, struct merged_family *f, const struct part *p)
{
	if (!part_dists(p) || p->list->n == 0 || c->first <= f->shown_number)
		return;
	f->shown_layout = (*part_dist_at(p, 0))->layout;
	f->shown_number = c->first;
}

void merged_load_end(struct merged_group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct contribution *c = g->contributions[i];

		for (uint32_t j = 0; j < c->n_parts; j++) {
			struct merged_family *f = g->families[j];

			if (!c->parts[j])
				continue;
			if (f->policy == MERGE_MOSTRECENT)
				find_recent(c, f, c->parts[j]);
			find_shown(c, f, c->parts[j]);
			for (uint32_t k = 0; k < c->parts[j]->list->n; k++)
				series_note_exemplars(g, f, c->parts[j], k, false);
		}
	}
	for (uint32_t i = 0; i < g->n_families; i++)
		if (g->families[i])
			g->families[i]->base_changed = g->families[i]->shape_changed = false;
	merged_commit(g);
}
