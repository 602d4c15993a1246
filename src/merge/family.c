/* The families of a summed group, their series and their layouts of buckets. */
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"
#include "merge/internal.h"
#include "metrics/names.h"

struct merged_family *family_find(const struct merged_group *g, struct str name)
{
	uint64_t hash = hash_bytes(name);
	struct merged_family *f;

	for (size_t at = table_first(&g->by_name, hash); (f = table_next(&g->by_name, hash, &at));)
		if (str_eq(f->name, name))
			return f;
	return NULL;
}

bool merged_has(const struct merged_group *g, struct str family)
{
	return family_find(g, family) != NULL;
}

static uint64_t hash_id(uint64_t id)
{
	return hash_bytes((struct str){ (const char *)&id, sizeof(id) });
}

struct merged_family *family_by_id(const struct merged_group *g, uint64_t id)
{
	uint64_t hash = hash_id(id);
	struct merged_family *f;

	for (size_t at = table_first(&g->by_id, hash); (f = table_next(&g->by_id, hash, &at));)
		if (f->doc.id == id)
			return f;
	return NULL;
}

void family_link(struct merged_group *g, struct merged_family *f)
{
	table_add(&g->by_name, hash_bytes(f->name), f);
	table_add(&g->by_id, hash_id(f->doc.id), f);
}

void family_unlink(struct merged_group *g, struct merged_family *f)
{
	table_remove(&g->by_name, hash_bytes(f->name), f);
	table_remove(&g->by_id, hash_id(f->doc.id), f);
	if (!f->dropped)
		family_free_index(g, f->index);
}

void family_is_document(struct merged_group *g, struct merged_family *f, const struct document *doc)
{
	table_remove(&g->by_id, hash_id(f->doc.id), f);
	f->doc = *doc;
	table_add(&g->by_id, hash_id(f->doc.id), f);
}

void family_free_index(struct merged_group *g, uint32_t index)
{
	g->families[index] = NULL;
	if (index < g->free_from)
		g->free_from = index;
}

static uint32_t free_index(struct merged_group *g)
{
	while (g->free_from < g->n_families && g->families[g->free_from])
		g->free_from++;
	if (g->free_from < g->n_families)
		return g->free_from;
	g->families = mem_realloc(g->families,
				  ((size_t)g->n_families + 1) * sizeof(struct merged_family *));
	return g->n_families++;
}

static struct str own(struct str s)
{
	return (struct str){ mem_dup(s.p, s.n), s.n };
}

struct merged_family *family_add(struct merged_group *g, const struct said_family *sf)
{
	struct merged_family *f = mem_zalloc(sizeof(*f));

	f->index = free_index(g);
	f->doc.id = g->next_id++;
	f->name = own(sf->name);
	f->help = own(sf->help);
	f->unit = own(sf->unit);
	f->has_help = sf->has_help;
	f->type = sf->type;
	f->policy = sf->policy;
	g->families[f->index] = f;
	held_family(g, f, 1);
	family_link(g, f);
	undo_add(g, UNDO_FAMILY)->f = f;
	family_changed(g, f, true, true);
	return f;
}

void family_drop(struct merged_group *g, struct merged_family *f)
{
	undo_add(g, UNDO_DROPPED)->f = f;
	f->dropped = true;
	family_unlink(g, f);
}

static void series_done(struct merged_series *s)
{
	sums_done(&s->all);
	sums_done(&s->base);
	exemplars_unref(s->exemplars);
	exemplars_unref(s->base_exemplars);
	part_free(s->held);
	free(s->labels);
}

void family_free(struct merged_family *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		series_done(&f->series[i]);
	for (uint32_t i = 0; i < f->n_layouts; i++)
		free(f->layouts[i].bounds);
	free(f->series);
	free(f->layouts);
	series_list_unref(f->list);
	table_done(&f->by_hash);
	free((char *)f->name.p);
	free((char *)f->help.p);
	free((char *)f->unit.p);
	free(f);
}

/* ---- series ---- */

/*
 * The table holds the numbers of series, from 1 on, instead of pointers, since the array of series
 * may move.
 */
static void *number_item(uint32_t series)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): series move, their numbers do not. */
	return (void *)((uintptr_t)series + 1);
}

static bool is_series(const struct merged_series *s, const struct said_metric *m)
{
	return s->hash == m->hash &&
	       said_same_labels(s->labels, s->n_labels, m->labels, m->n_labels);
}

/* One block: the labels, then their text. */
static struct label *own_labels(const struct label *labels, uint32_t n)
{
	size_t size = n * sizeof(*labels);
	struct label *to;
	char *text;

	for (uint32_t i = 0; i < n; i++)
		size += labels[i].name.n + labels[i].value.n;
	to = mem_alloc(size);
	text = (char *)(to + n);
	for (uint32_t i = 0; i < n; i++) {
		to[i] = (struct label){ { text, labels[i].name.n },
					{ text + labels[i].name.n, labels[i].value.n } };
		copy_bytes(text, labels[i].name.p, labels[i].name.n);
		text += labels[i].name.n;
		copy_bytes(text, labels[i].value.p, labels[i].value.n);
		text += labels[i].value.n;
	}
	return to;
}

static bool is_plain(const struct said_metric *m)
{
	for (uint32_t i = 0; i < m->n_labels; i++)
		if (!name_is_classic_label(m->labels[i].name) ||
		    !text_is_verbatim(m->labels[i].value))
			return false;
	return true;
}

static uint32_t add_series(struct merged_group *g, struct merged_family *f,
			   const struct said_metric *m)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 4;
		f->series = mem_realloc(f->series, f->cap * sizeof(*f->series));
	}
	f->series[f->n] = (struct merged_series){
		.labels = own_labels(m->labels, m->n_labels),
		.n_labels = m->n_labels,
		.hash = m->hash,
		.plain = is_plain(m),
	};
	held_series(g, f, &f->series[f->n], 1);
	table_add(&f->by_hash, m->hash, number_item(f->n));
	undo_add(g, UNDO_SERIES)->f = f;
	family_changed(g, f, true, true);
	return f->n++;
}

void family_pop_series(struct merged_group *g, struct merged_family *f)
{
	struct merged_series *s = &f->series[--f->n];

	held_series(g, f, s, -1);
	table_remove(&f->by_hash, s->hash, number_item(f->n));
	series_done(s);
}

uint32_t family_lookup(const struct merged_family *f, const struct said_metric *m)
{
	void *item;

	for (size_t at = table_first(&f->by_hash, m->hash);
	     (item = table_next(&f->by_hash, m->hash, &at));)
		if (is_series(&f->series[(uintptr_t)item - 1], m))
			return (uint32_t)((uintptr_t)item - 1);
	return UINT32_MAX;
}

uint32_t family_series(struct merged_group *g, struct merged_family *f, const struct said_metric *m,
		       uint32_t *hint)
{
	uint32_t found = *hint;

	if (found >= f->n || !is_series(&f->series[found], m))
		found = family_lookup(f, m);
	if (found == UINT32_MAX)
		found = add_series(g, f, m);
	*hint = found + 1;
	return found;
}

static int by_series(const void *a, const void *b)
{
	uint32_t x = ((const struct pick *)a)->series, y = ((const struct pick *)b)->series;

	return (x > y) - (x < y);
}

struct pick *family_picks(struct merged_group *g, struct merged_family *f,
			  const struct said_family *sf, double now)
{
	struct pick *picks = mem_alloc(sf->n * sizeof(*picks));
	bool sorted = true;
	uint32_t hint = 0;

	for (uint32_t i = 0; i < sf->n; i++) {
		uint32_t series = family_series(g, f, &sf->metrics[i], &hint);

		if (f->series[series].since == 0)
			f->series[series].since = now;
		picks[i] = (struct pick){ series, i, false, sf->metrics[i].created };
		sorted &= i == 0 || picks[i - 1].series < series;
	}
	if (!sorted)
		array_sort(picks, sf->n, by_series);
	return picks;
}

/* ---- layouts ---- */

void family_show_layout(struct merged_group *g, struct merged_family *f, uint32_t layout,
			uint64_t number)
{
	struct undo *u;

	if (f->shown_layout == layout && f->shown_number == number)
		return;
	u = undo_add(g, UNDO_SHOWN);
	u->f = f;
	u->series = f->shown_layout;
	u->number = f->shown_number;
	family_changed(g, f, f->shown_layout != layout, true);
	f->shown_layout = layout;
	f->shown_number = number;
}

uint32_t family_layout(struct merged_group *g, struct merged_family *f, const struct said_dist *d)
{
	struct layout *l;

	for (uint32_t i = 0; i < f->n_layouts; i++)
		if (f->layouts[i].n == d->n &&
		    (d->n == 0 ||
		     memcmp(f->layouts[i].bounds, d->bounds, d->n * sizeof(*d->bounds)) == 0))
			return i;
	f->layouts = mem_realloc(f->layouts, ((size_t)f->n_layouts + 1) * sizeof(*f->layouts));
	l = &f->layouts[f->n_layouts];
	l->n = d->n;
	l->bounds = mem_dup(d->bounds, d->n * sizeof(*d->bounds));
	held_layout(g, f, l, 1);
	undo_add(g, UNDO_LAYOUT)->f = f;
	family_changed(g, f, true, true);
	return f->n_layouts++;
}

int family_check_layouts(const struct merged_family *f, uint32_t before, struct err *err)
{
	enum { LAYOUTS = 1000, BOUNDS = 100 * 1000 };
	uint64_t bounds = 0;
	char quoted[128];

	if (f->n_layouts <= before || f->n_layouts <= 1)
		return 0;
	for (uint32_t i = 0; i < f->n_layouts; i++)
		bounds += f->layouts[i].n;
	if (f->n_layouts <= LAYOUTS && bounds <= BOUNDS)
		return 0;
	return err_set(err, ERR_STORE_FULL, 0,
		       "the histogram %s would have been pushed to this group with %u different "
		       "sets of buckets, of %llu bounds; at most %d of %d are added up: push it "
		       "with the same buckets each time, or delete the group first",
		       str_quote(f->name, quoted, sizeof(quoted)), f->n_layouts,
		       (unsigned long long)bounds, LAYOUTS, BOUNDS);
}

void family_pop_layout(struct merged_group *g, struct merged_family *f)
{
	f->n_layouts--;
	held_layout(g, f, &f->layouts[f->n_layouts], -1);
	for (uint32_t i = 0; i < f->n; i++) {
		sums_cut_layouts(&f->series[i].all, f->n_layouts);
		sums_cut_layouts(&f->series[i].base, f->n_layouts);
	}
	free(f->layouts[f->n_layouts].bounds);
}
