/* What one contribution says of one family: immutable, in one block. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "merge/internal.h"

void series_list_unref(struct series_list *l)
{
	if (l && --l->refs == 0)
		free(l);
}

void part_free(struct part *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; part_exemplars(p) && i < p->n; i++)
		exemplars_unref(part_exemplars(p)[i]);
	series_list_unref(p->list);
	free(p);
}

static bool is_list_of(const struct series_list *l, const struct pick *picks, uint32_t n)
{
	if (!l || l->n != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (l->v[i] != picks[i].series)
			return false;
	return true;
}

static struct series_list *list_of(struct merged_family *f, const struct pick *picks, uint32_t n)
{
	struct series_list *l = f->list;

	if (!is_list_of(l, picks, n)) {
		l = mem_alloc(sizeof(*l) + n * sizeof(*l->v));
		*l = (struct series_list){ 1, n };
		for (uint32_t i = 0; i < n; i++)
			l->v[i] = picks[i].series;
		series_list_unref(f->list);
		f->list = l;
	}
	l->refs++;
	return l;
}

uint32_t part_find(const struct part *p, uint32_t series)
{
	uint32_t lo = 0, hi = p->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p->list->v[mid] < series)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->n && p->list->v[lo] == series ? lo : UINT32_MAX;
}

/* A NaN is the same as itself. */
static bool same_bits(double a, double b)
{
	uint64_t x, y;

	memcpy(&x, &a, sizeof(x));
	memcpy(&y, &b, sizeof(y));
	return x == y;
}

bool part_same(const struct merged_family *f, const struct part *a, uint32_t i,
	       const struct part *b, uint32_t j)
{
	const struct part_dist *x, *y;

	if (!same_bits(a->values[i], b->values[j]))
		return false;
	if (!part_dists(a))
		return true;
	x = part_dists(a)[i];
	y = part_dists(b)[j];
	return x->count == y->count && x->layout == y->layout &&
	       native_same(dist_native(f, x), dist_native(f, y)) &&
	       memcmp(x->counts, y->counts, f->layouts[x->layout].n * sizeof(double)) == 0;
}

size_t part_values(const struct merged_family *f, const struct part *p)
{
	size_t n = p ? p->n : 0;

	for (uint32_t i = 0; p && part_dists(p) && i < p->n; i++)
		n += 1 + f->layouts[part_dists(p)[i]->layout].n +
		     (part_dists(p)[i]->has_native ? dist_native(f, part_dists(p)[i])->n : 0);
	return n;
}

/* Where a pick's values come from. */
struct from {
	double value;
	bool is_dist; /* then what follows holds, too */
	double count;
	const double *counts;
	const struct native *native; /* or NULL */
	uint32_t layout;
};

static void from_old(const struct merged_family *f, const struct part_dist *d, struct from *ret)
{
	ret->is_dist = true;
	ret->count = d->count;
	ret->counts = d->counts;
	ret->native = dist_native(f, d);
	ret->layout = d->layout;
}

static void from_said(struct merged_group *g, struct merged_family *f, const struct said_dist *d,
		      struct from *ret)
{
	ret->is_dist = true;
	ret->count = d->count;
	ret->counts = d->counts;
	ret->native = d->native;
	ret->layout = family_layout(g, f, d);
}

static size_t dist_size(const struct merged_family *f, const struct from *from)
{
	return sizeof(struct part_dist) + f->layouts[from->layout].n * sizeof(double) +
	       (from->native ? native_size(from->native->n) : 0);
}

static struct from pick_from(struct merged_group *g, struct merged_family *f, const struct pick *p,
			     const struct said_family *sf, const struct part *old)
{
	struct from from = { 0 };

	if (p->old) {
		from.value = old->values[p->at];
		if (part_dists(old))
			from_old(f, part_dists(old)[p->at], &from);
	} else {
		const struct said_metric *m = &sf->metrics[p->at];

		from.value = m->value;
		if (m->dist)
			from_said(g, f, m->dist, &from);
	}
	return from;
}

static void put_dist(const struct merged_family *f, struct part_dist *to, const struct from *from)
{
	uint32_t n = f->layouts[from->layout].n;

	to->layout = from->layout;
	to->count = from->count;
	to->has_native = from->native != NULL;
	if (from->native)
		memcpy(to->counts + n, from->native, native_size(from->native->n));
	if (from->counts)
		memcpy(to->counts, from->counts, n * sizeof(double));
}

static bool has_exemplars(const struct part *p)
{
	return p && part_exemplars(p);
}

/* What the parts of a block take. */
struct room {
	enum part_created created;
	bool is_dist, exemplars;
	size_t dists;
};

enum { PER_SECOND = 1024 };

static enum part_created how_created(const struct pick *picks, uint32_t n)
{
	double first = HUGE_VAL, last = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (picks[i].created == 0)
			continue;
		first = picks[i].created < first ? picks[i].created : first;
		last = picks[i].created > last ? picks[i].created : last;
	}
	if (last == 0)
		return CREATED_NONE;
	return (last - first) * PER_SECOND < UINT32_MAX ? CREATED_NEAR : CREATED_FAR;
}

static void put_created(struct part *p, const struct pick *picks)
{
	double *far = p->values + p->n, first = HUGE_VAL;
	uint32_t *near = (void *)(far + 1);

	for (uint32_t i = 0; i < p->n; i++)
		if (picks[i].created != 0 && picks[i].created < first)
			first = picks[i].created;
	if (p->created == CREATED_NEAR)
		*far = first;
	for (uint32_t i = 0; i < p->n; i++) {
		double at = picks[i].created;

		if (p->created == CREATED_FAR)
			far[i] = at;
		else if (p->created == CREATED_NEAR)
			near[i] = at == 0 ? UINT32_MAX : (uint32_t)((at - first) * PER_SECOND);
	}
}

double part_created_at(const struct part *p, uint32_t at)
{
	const double *far = p->values + p->n;
	const uint32_t *near = (const void *)(far + 1);

	if (p->created == CREATED_FAR)
		return far[at];
	if (p->created == CREATED_NONE || near[at] == UINT32_MAX)
		return 0;
	return *far + (double)near[at] / PER_SECOND;
}

static struct room measure(struct merged_group *g, struct merged_family *f,
			   const struct pick *picks, uint32_t n, const struct said_family *sf,
			   const struct part *old)
{
	struct room r = { .exemplars = has_exemplars(old), .created = how_created(picks, n) };

	for (uint32_t i = 0; i < n; i++) {
		struct from from = pick_from(g, f, &picks[i], sf, old);

		r.exemplars |= !picks[i].old && sf->metrics[picks[i].at].n_exemplars > 0;
		if (from.is_dist) {
			r.is_dist = true;
			r.dists += dist_size(f, &from);
		}
	}
	return r;
}

_Static_assert(sizeof(double) == sizeof(void *), "all of a part but what has gone is as large");

/* Values, created, exemplars, pointers to the rest, what has gone, and the rest. */
static struct part *new_part(uint32_t n, uint32_t n_gone, const struct room *r, char **ret_dists)
{
	size_t doubles = n * (1 + (size_t)r->exemplars + r->is_dist) +
			 part_created_room(n, r->created);
	size_t size = sizeof(struct part) + doubles * sizeof(double) + n_gone * sizeof(uint32_t);
	struct part *p;

	size = (size + 7) & ~(size_t)7;
	p = mem_alloc(size + r->dists);
	*p = (struct part){
		.n = n,
		.n_gone = n_gone,
		.created = r->created,
		.has_dists = r->is_dist,
		.has_exemplars = r->exemplars,
	};
	*ret_dists = (char *)p + size;
	return p;
}

/* Those that it had stay until there are newer ones. */
static struct exemplars *exemplars_of(const struct pick *pick, const struct said_family *sf,
				      const struct part *old)
{
	uint32_t at = pick->old ? pick->at : old ? part_find(old, pick->series) : UINT32_MAX;
	struct exemplars *had = old && part_exemplars(old) && at != UINT32_MAX
					? part_exemplars(old)[at]
					: NULL;

	if (pick->old)
		return exemplars_ref(had);
	return exemplars_newest(had, sf->metrics[pick->at].exemplars,
				sf->metrics[pick->at].n_exemplars);
}

struct part *part_make(struct merged_group *g, struct merged_family *f, const struct pick *picks,
		       uint32_t n, const struct said_family *sf, const struct part *old,
		       const uint32_t *gone, uint32_t n_gone, uint64_t number)
{
	struct room room;
	struct part *p;
	char *to;

	if (n == 0 && n_gone == 0)
		return NULL;
	room = measure(g, f, picks, n, sf, old);
	p = new_part(n, n_gone, &room, &to);
	p->number = number;
	p->list = list_of(f, picks, n);
	if (n_gone)
		memcpy(part_gone(p), gone, n_gone * sizeof(*gone));
	put_created(p, picks);
	for (uint32_t i = 0; i < n; i++) {
		struct from from = pick_from(g, f, &picks[i], sf, old);

		p->values[i] = from.value;
		if (room.exemplars)
			part_exemplars(p)[i] = exemplars_of(&picks[i], sf, old);
		if (!room.is_dist)
			continue;
		part_dists(p)[i] = (struct part_dist *)to;
		put_dist(f, part_dists(p)[i], &from);
		to += dist_size(f, &from);
	}
	return p;
}

struct part *part_alone(const struct merged_family *f, const struct part *p, uint32_t at)
{
	struct from from = { .value = p->values[at] };
	struct room room = { .is_dist = true };
	struct part *alone;
	char *to;

	from_old(f, *part_dist_at(p, at), &from);
	room.dists = dist_size(f, &from);
	alone = new_part(1, 0, &room, &to);
	alone->number = p->number;
	alone->values[0] = from.value;
	*part_dist_at(alone, 0) = (struct part_dist *)to;
	put_dist(f, *part_dist_at(alone, 0), &from);
	alone->list = mem_alloc(sizeof(*alone->list) + sizeof(*alone->list->v));
	*alone->list = (struct series_list){ 1, 1 };
	alone->list->v[0] = p->list->v[at];
	return alone;
}
