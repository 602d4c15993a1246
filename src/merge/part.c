/* What one contribution says of one family: immutable, in one block. */
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
	if (p)
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

		if (p->series[mid] < series)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->n && p->series[lo] == series ? lo : UINT32_MAX;
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
	if (!a->dists)
		return true;
	x = a->dists[i];
	y = b->dists[j];
	return x->count == y->count && x->layout == y->layout &&
	       native_same(dist_native(f, x), dist_native(f, y)) &&
	       memcmp(x->counts, y->counts, f->layouts[x->layout].n * sizeof(double)) == 0;
}

size_t part_values(const struct merged_family *f, const struct part *p)
{
	size_t n = p ? p->n : 0;

	for (uint32_t i = 0; p && p->dists && i < p->n; i++)
		n += 1 + f->layouts[p->dists[i]->layout].n +
		     (p->dists[i]->has_native ? dist_native(f, p->dists[i])->n : 0);
	return n;
}

/* Where a pick's values come from. */
struct from {
	double value;
	const struct said_dist *said;
	const struct part_dist *old;
	const struct native *native; /* or NULL */
	uint32_t layout;
};

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
		from.old = old->dists ? old->dists[p->at] : NULL;
		from.layout = from.old ? from.old->layout : 0;
		from.native = from.old ? dist_native(f, from.old) : NULL;
	} else {
		const struct said_metric *m = &sf->metrics[p->at];

		from.value = m->value;
		from.said = m->dist;
		from.layout = m->dist ? family_layout(g, f, m->dist) : 0;
		from.native = m->dist ? m->dist->native : NULL;
	}
	return from;
}

static void put_dist(const struct merged_family *f, struct part_dist *to, const struct from *from)
{
	uint32_t n = f->layouts[from->layout].n;

	to->layout = from->layout;
	to->count = from->said ? from->said->count : from->old->count;
	to->has_native = from->native != NULL;
	if (from->native)
		memcpy(to->counts + n, from->native, native_size(from->native->n));
	if (n)
		memcpy(to->counts, from->said ? from->said->counts : from->old->counts,
		       n * sizeof(double));
}

struct part *part_make(struct merged_group *g, struct merged_family *f, const struct pick *picks,
		       uint32_t n, const struct said_family *sf, const struct part *old,
		       const uint32_t *gone, uint32_t n_gone, uint64_t number)
{
	size_t size = sizeof(struct part), dists = 0;
	bool created = false, is_dist = false;
	struct part *p;
	char *to;

	if (n == 0 && n_gone == 0)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		struct from from = pick_from(g, f, &picks[i], sf, old);

		created |= picks[i].created != 0;
		if (from.said || from.old) {
			is_dist = true;
			dists += dist_size(f, &from);
		}
	}
	size += n * sizeof(double) * (1 + created) + n_gone * sizeof(uint32_t);
	size = (size + 7) & ~(size_t)7;
	size += is_dist ? n * sizeof(struct part_dist *) + dists : 0;
	p = mem_alloc(size);
	*p = (struct part){ .n = n, .bytes = (uint32_t)size, .number = number, .n_gone = n_gone };
	p->values = (double *)(p + 1);
	p->created = created ? p->values + n : NULL;
	p->list = list_of(f, picks, n);
	p->series = p->list->v;
	p->gone = (void *)(p->values + (1 + created) * (size_t)n);
	if (n_gone)
		memcpy(p->gone, gone, n_gone * sizeof(*gone));
	to = (char *)p + size - dists;
	if (is_dist)
		p->dists = (struct part_dist **)to - n;
	for (uint32_t i = 0; i < n; i++) {
		struct from from = pick_from(g, f, &picks[i], sf, old);

		p->values[i] = from.value;
		if (created)
			p->created[i] = picks[i].created;
		if (!is_dist)
			continue;
		p->dists[i] = (struct part_dist *)to;
		put_dist(f, p->dists[i], &from);
		to += dist_size(f, &from);
	}
	return p;
}
