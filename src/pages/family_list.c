#include "pages/family_list.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "pages/family.h"

void family_list_done(struct family_list *l)
{
	free(l->at);
}

void family_list_add(struct family_list *l, struct shown_family *f)
{
	if (f->listed)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->at = mem_realloc(l->at, l->cap * sizeof(struct shown_family *));
	}
	f->list_at = l->n;
	l->at[l->n++] = f;
	f->listed = true;
}

void family_list_remove(struct family_list *l, struct shown_family *f)
{
	if (!f->listed)
		return;
	l->at[f->list_at] = NULL;
	l->n_holes++;
	f->listed = false;
}

static void put(struct family_list *l, size_t at, struct shown_family *f)
{
	l->at[at] = f;
	f->list_at = at;
}

/* Drops the holes of the runs from `run` on. */
static void drop_holes(struct family_list *l, unsigned run)
{
	size_t kept = l->starts[run], i = kept;

	for (; run < l->n_runs; run++) {
		size_t end = run + 1 < l->n_runs ? l->starts[run + 1] : l->n_in_runs;

		l->starts[run] = kept;
		for (; i < end; i++) {
			struct shown_family *f = l->at[i];

			l->at[i] = NULL;
			if (f)
				put(l, kept++, f);
		}
	}
	l->n_holes -= l->n_in_runs - kept;
	l->n_in_runs = kept;
}

/* Fetches what comparisons in front of place i need into the cache. */
static void look_ahead(struct shown_family *const *list, size_t i)
{
	enum { FAMILIES = 16, NAMES = 8 };

	if (i >= FAMILIES)
		__builtin_prefetch(list[i - FAMILIES], 1);
	if (i >= NAMES)
		__builtin_prefetch(list[i - NAMES]->exposed.p);
}

static bool is_behind(struct family_list *l, const struct shown_family *a,
		      const struct shown_family *b)
{
	l->compared++;
	return family_cmp(a, b) > 0;
}

/*
 * How many of n sorted families are not behind f: looked for from the end, in growing strides, so
 * that it takes as long as there are few behind it.
 */
static size_t not_behind(struct family_list *l, struct shown_family *const *list, size_t n,
			 const struct shown_family *f)
{
	size_t low = 0, high = n;

	for (size_t stride = 1; high > 0; stride *= 2) {
		size_t at = high > stride ? high - stride : 0;

		if (!is_behind(l, list[at], f)) {
			low = at + 1;
			break;
		}
		high = at;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_behind(l, list[middle], f))
			high = middle;
		else
			low = middle + 1;
	}
	return high;
}

/* Makes one run of the last two. */
static void merge(struct family_list *l)
{
	size_t first, second, left, right, at;
	struct shown_family **tmp, **list;

	if (l->n_holes > 0)
		drop_holes(l, l->n_runs - 2);
	second = l->starts[--l->n_runs];
	first = l->starts[l->n_runs - 1];
	list = l->at + first;
	left = second - first;
	right = l->n_in_runs - second;
	at = left + right;
	tmp = mem_alloc(right * sizeof(*tmp));
	copy_bytes(tmp, list + left, right * sizeof(*tmp));
	while (right > 0) {
		size_t stay;

		look_ahead(list, left);
		look_ahead(tmp, right);
		stay = not_behind(l, list, left, tmp[right - 1]);
		while (left > stay)
			put(l, first + --at, list[--left]);
		put(l, first + --at, tmp[--right]);
	}
	free(tmp);
}

/* Whether the last two runs are to become one now. */
static bool is_short(const struct family_list *l)
{
	const size_t *last;

	if (l->n_runs < 2)
		return false;
	last = &l->starts[l->n_runs - 1];
	return last[0] - last[-1] < 2 * (l->n_in_runs - last[0]);
}

/* Whether the new family does not go on with the last run. */
static bool begins_run(struct family_list *l, const struct shown_family *f)
{
	const struct shown_family *last;

	if (l->n_runs == 0 || l->n_in_runs == l->starts[l->n_runs - 1])
		return l->n_runs == 0;
	last = l->at[l->n_in_runs - 1];
	return !last || is_behind(l, last, f);
}

static void take_in(struct family_list *l, struct shown_family *f)
{
	if (begins_run(l, f)) {
		while (is_short(l))
			merge(l);
		assert(l->n_runs < FAMILY_RUNS_MAX);
		l->starts[l->n_runs++] = l->n_in_runs;
	}
	put(l, l->n_in_runs++, f);
}

/* For the new family at place i: fetches what later ones need into the cache. */
static void look_ahead_new(const struct family_list *l, size_t i)
{
	enum { FAMILIES = 16, NAMES = 8 };

	if (i + FAMILIES < l->n)
		__builtin_prefetch(l->at[i + FAMILIES], 1);
	if (i + NAMES < l->n && l->at[i + NAMES])
		__builtin_prefetch(l->at[i + NAMES]->exposed.p);
}

bool family_list_take_in(struct family_list *l, size_t max)
{
	if (l->new_at == l->n)
		return false;
	for (; l->new_at < l->n && max > 0; l->new_at++, max--) {
		struct shown_family *f = l->at[l->new_at];

		look_ahead_new(l, l->new_at);
		l->at[l->new_at] = NULL;
		if (!f) {
			l->n_holes--;
			continue;
		}
		take_in(l, f);
		family_make_header(f);
	}
	if (l->new_at == l->n)
		l->n = l->new_at = l->n_in_runs;
	return true;
}

bool family_list_is_taken_in(const struct family_list *l)
{
	return l->new_at == l->n;
}

void family_list_sort(struct family_list *l)
{
	family_list_take_in(l, SIZE_MAX);
	while (l->n_runs > 1)
		merge(l);
	if (l->n_holes > 0)
		drop_holes(l, 0);
	l->n = l->new_at = l->n_in_runs;
}
