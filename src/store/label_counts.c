#include "store/label_counts.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

struct counted_value {
	uint64_t hash, refs;
	struct counted_label *label;
};

void label_counts_init(struct label_counts *c, uint64_t max)
{
	*c = (struct label_counts){ .max = max };
}

static void label_free(struct counted_label *l)
{
	free((char *)l->name.p);
	free(l);
}

void label_counts_done(struct label_counts *c)
{
	for (size_t i = 0; i < c->values.cap; i++)
		free(c->values.entries[i].item);
	for (size_t i = 0; i < c->labels.cap; i++)
		if (c->labels.entries[i].item)
			label_free(c->labels.entries[i].item);
	table_done(&c->values);
	table_done(&c->labels);
	*c = (struct label_counts){ 0 };
}

void label_counts_begin(struct label_counts *c)
{
	struct counted_label *next;

	for (struct counted_label *l = c->empty; l; l = next) {
		next = l->next_empty;
		l->listed = false;
		if (l->n > 0)
			continue;
		table_remove(&c->labels, hash_bytes(l->name), l);
		label_free(l);
	}
	c->empty = c->over = NULL;
	c->change++;
}

static struct counted_label *label_of(struct label_counts *c, struct str name, uint64_t hash)
{
	struct counted_label *l;

	for (size_t at = table_first(&c->labels, hash); (l = table_next(&c->labels, hash, &at));)
		if (str_eq(l->name, name))
			return l;
	l = mem_zalloc(sizeof(*l));
	l->name = (struct str){ mem_dup(name.p, name.n), name.n };
	table_add(&c->labels, hash, l);
	return l;
}

/* The same value of two labels counts for each of them. */
static uint64_t pair_hash(uint64_t of_name, struct str value)
{
	uint64_t h = (of_name << 32 | of_name >> 32) ^ hash_bytes(value);

	return h * 0x9E3779B97F4A7C15;
}

static void change(struct label_counts *c, struct counted_label *l, int by)
{
	if (l->change != c->change) {
		l->change = c->change;
		l->before = l->n;
	}
	l->n += (uint64_t)(int64_t)by;
	if (by > 0 && l->n > c->max && l->n > l->before)
		c->over = l;
	if (l->n > 0 || l->listed)
		return;
	l->listed = true;
	l->next_empty = c->empty;
	c->empty = l;
}

void label_counts_add(struct label_counts *c, struct str name, struct str value)
{
	uint64_t of_name = hash_bytes(name), hash = pair_hash(of_name, value);
	size_t at = table_first(&c->values, hash);
	struct counted_value *v;

	if (value.n == 0)
		return;
	v = table_next(&c->values, hash, &at);
	if (v) {
		v->refs++;
		return;
	}
	v = mem_alloc(sizeof(*v));
	*v = (struct counted_value){ hash, 1, label_of(c, name, of_name) };
	table_add(&c->values, hash, v);
	change(c, v->label, 1);
}

void label_counts_remove(struct label_counts *c, struct str name, struct str value)
{
	uint64_t hash = pair_hash(hash_bytes(name), value);
	size_t at = table_first(&c->values, hash);
	struct counted_value *v;

	if (value.n == 0)
		return;
	v = table_next(&c->values, hash, &at);
	if (!v || --v->refs > 0)
		return;
	change(c, v->label, -1);
	table_remove(&c->values, hash, v);
	free(v);
}

const struct counted_label *label_counts_most(const struct label_counts *c)
{
	const struct counted_label *most = NULL;

	for (size_t i = 0; i < c->labels.cap; i++) {
		const struct counted_label *l = c->labels.entries[i].item;

		if (l && l->n > 0 && (!most || l->n > most->n))
			most = l;
	}
	return most;
}
