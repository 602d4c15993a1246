#include "merge/part.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
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
	for (uint32_t i = 0; p->has_exemplars && i < p->list->n; i++)
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
	uint32_t lo = 0, hi = p->list->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p->list->v[mid] < series)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->list->n && p->list->v[lo] == series ? lo : UINT32_MAX;
}

/* Compares bits, so that a NaN is the same as itself. */
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

	if (!same_bits(part_value(a, i), part_value(b, j)))
		return false;
	if (!part_dists(a))
		return true;
	x = *part_dist_at(a, i);
	y = *part_dist_at(b, j);
	/* The same counts take the same bytes. */
	return x->count == y->count && x->layout == y->layout && x->width == y->width &&
	       native_same(dist_native(f, x), dist_native(f, y)) &&
	       memcmp(x->counts, y->counts, (size_t)f->layouts[x->layout].n * x->width) == 0;
}

size_t part_values(const struct merged_family *f, const struct part *p)
{
	size_t n = p ? p->list->n : 0;

	for (uint32_t i = 0; p && p->has_dists && i < p->list->n; i++) {
		const struct part_dist *d = *part_dist_at(p, i);

		n += 1 + f->layouts[d->layout].n + (d->has_native ? dist_native(f, d)->n : 0);
	}
	return n;
}

/* ---- times of creation ---- */

enum { PER_SECOND = 1024 };

static double first_created(const struct pick *picks, uint32_t n)
{
	double first = HUGE_VAL;

	for (uint32_t i = 0; i < n; i++)
		if (picks[i].created != 0 && picks[i].created < first)
			first = picks[i].created;
	return first;
}

static double after_first(double created, double first)
{
	return created != 0 ? (created - first) * PER_SECOND + 1 : 0;
}

static unsigned created_width(const struct pick *picks, uint32_t n)
{
	double first = first_created(picks, n);
	unsigned width = 0;

	for (uint32_t i = 0; i < n; i++)
		width = packed_width(width, after_first(picks[i].created, first));
	return width;
}

static char *created_at(const struct part *p)
{
	return part_values_at(p) + (size_t)p->list->n * p->value_width;
}

static void put_created(struct part *p, const struct pick *picks)
{
	double first = first_created(picks, p->list->n);

	if (p->created_width == 0)
		return;
	memcpy(part_first_created(p), &first, sizeof(first));
	for (uint32_t i = 0; i < p->list->n; i++)
		packed_put(created_at(p), p->created_width, i,
			   after_first(picks[i].created, first));
}

double part_created_at(const struct part *p, uint32_t at)
{
	double after = packed_get(created_at(p), p->created_width, at), first;

	if (after == 0)
		return 0;
	memcpy(&first, part_first_created(p), sizeof(first));
	return first + (after - 1) / PER_SECOND;
}

/* ---- series that were left out ---- */

static size_t gone_offset(const struct part *p)
{
	size_t pointers = (size_t)p->has_exemplars + p->has_dists;
	size_t before = sizeof(*p) +
			p->list->n *
				(pointers * sizeof(void *) + p->value_width + p->created_width) +
			(p->created_width ? sizeof(double) : 0);

	return (before + 3) & ~(size_t)3;
}

static uint32_t *gone_at(const struct part *p)
{
	return (uint32_t *)((char *)p + gone_offset(p));
}

const uint32_t *part_gone(const struct part *p, uint32_t *ret_n)
{
	const uint32_t *at = gone_at(p);

	*ret_n = p->has_gone ? at[0] : 0;
	return at + 1;
}

/* ---- where the values of a part come from ---- */

struct from {
	double value;
	bool is_dist; /* then what follows holds, too */
	double count;
	uint32_t layout;
	unsigned width;              /* that the counts take */
	const double *counts;        /* or, if they are packed, */
	const char *packed;          /* these */
	const struct native *native; /* or NULL */
};

static void from_old(const struct merged_family *f, const struct part_dist *d, struct from *ret)
{
	ret->is_dist = true;
	ret->count = d->count;
	ret->packed = d->counts;
	ret->width = d->width;
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
	for (uint32_t i = 0; i < f->layouts[ret->layout].n; i++)
		ret->width = packed_width(ret->width, d->counts[i]);
}

static size_t dist_size(const struct merged_family *f, const struct from *from)
{
	return dist_room(f->layouts[from->layout].n, from->width) +
	       (from->native ? native_size(from->native->n) : 0);
}

static struct from pick_from(struct merged_group *g, struct merged_family *f, const struct pick *p,
			     const struct said_family *sf, const struct part *old)
{
	struct from from = { 0 };

	if (old && p->old) {
		from.value = part_value(old, p->at);
		if (part_dists(old))
			from_old(f, *part_dist_at(old, p->at), &from);
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
	to->width = (uint8_t)from->width;
	to->has_native = from->native != NULL;
	if (from->packed)
		copy_bytes(to->counts, from->packed, (size_t)n * from->width);
	for (uint32_t i = 0; !from->packed && i < n; i++)
		packed_put(to->counts, from->width, i, from->counts[i]);
	if (from->native)
		copy_bytes((char *)to + dist_room(n, from->width), from->native,
			   native_size(from->native->n));
}

/* ---- making one ---- */

/* How large the pieces of the block are. */
struct room {
	unsigned value_width, created_width;
	bool is_dist, exemplars;
	size_t dists;
};

static struct room measure(struct merged_group *g, struct merged_family *f,
			   const struct pick *picks, uint32_t n, const struct said_family *sf,
			   const struct part *old)
{
	struct room r = { .exemplars = old && old->has_exemplars,
			  .created_width = created_width(picks, n) };

	for (uint32_t i = 0; i < n; i++) {
		struct from from = pick_from(g, f, &picks[i], sf, old);

		r.value_width = packed_width(r.value_width, from.value);
		r.exemplars |= !picks[i].old && sf->metrics[picks[i].at].n_exemplars > 0;
		if (from.is_dist) {
			r.is_dist = true;
			r.dists += dist_size(f, &from);
		}
	}
	return r;
}

/* Takes the list. *ret_dists: where the rest of each value goes. */
static struct part *new_part(struct series_list *list, uint64_t number, uint32_t n_gone,
			     const struct room *r, char **ret_dists)
{
	struct part *p, head = {
		.number = number & PART_MAX_NUMBER,
		.value_width = r->value_width & 0xF,
		.created_width = r->created_width & 0xF,
		.has_exemplars = r->exemplars,
		.has_dists = r->is_dist,
		.has_gone = n_gone > 0,
		.list = list,
	};
	size_t size = gone_offset(&head);

	if (n_gone)
		size += (1 + (size_t)n_gone) * sizeof(uint32_t);
	if (r->is_dist)
		size = (size + 7) & ~(size_t)7;
	p = mem_alloc(size + r->dists);
	*p = head;
	*ret_dists = (char *)p + size;
	return p;
}

/* The exemplars that the series had stay until newer ones are pushed. */
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
	p = new_part(list_of(f, picks, n), number, n_gone, &room, &to);
	put_created(p, picks);
	if (n_gone) {
		gone_at(p)[0] = n_gone;
		copy_bytes(gone_at(p) + 1, gone, n_gone * sizeof(*gone));
	}
	for (uint32_t i = 0; i < n; i++) {
		struct from from = pick_from(g, f, &picks[i], sf, old);

		packed_put(part_values_at(p), room.value_width, i, from.value);
		if (room.exemplars)
			part_exemplars(p)[i] = exemplars_of(&picks[i], sf, old);
		if (!room.is_dist)
			continue;
		assert(from.is_dist); /* all values of a family are of one kind */
		*part_dist_at(p, i) = (struct part_dist *)to;
		put_dist(f, *part_dist_at(p, i), &from);
		to += dist_size(f, &from);
	}
	return p;
}

struct part *part_alone(const struct merged_family *f, const struct part *p, uint32_t at)
{
	struct from from = { .value = part_value(p, at) };
	struct room room = { .is_dist = true, .value_width = packed_width(0, from.value) };
	struct series_list *list = mem_alloc(sizeof(*list) + sizeof(*list->v));
	struct part *alone;
	char *to;

	*list = (struct series_list){ 1, 1 };
	list->v[0] = p->list->v[at];
	from_old(f, *part_dist_at(p, at), &from);
	room.dists = dist_size(f, &from);
	alone = new_part(list, p->number, 0, &room, &to);
	packed_put(part_values_at(alone), room.value_width, 0, from.value);
	*part_dist_at(alone, 0) = (struct part_dist *)to;
	put_dist(f, *part_dist_at(alone, 0), &from);
	return alone;
}
