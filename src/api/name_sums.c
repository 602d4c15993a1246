#include "api/name_sums.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

static struct name_sums *find_sums(const struct name_sums_list *l, struct str name)
{
	uint64_t hash = hash_bytes(name);
	struct name_sums *s;

	for (size_t at = table_first(&l->index, hash); (s = table_next(&l->index, hash, &at));)
		if (str_eq(s->name, name))
			return s;
	return NULL;
}

struct name_sums *name_sums_of(struct name_sums_list *l, struct str name)
{
	struct name_sums *s = find_sums(l, name);

	if (!s && l->n >= NAME_SUMS_MAX && name.n > 0) {
		name = STR("");
		s = find_sums(l, name);
	}
	if (s)
		return s;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->list = mem_realloc(l->list, l->cap * sizeof(struct name_sums *));
	}
	s = mem_zalloc(sizeof(*s));
	s->name = (struct str){ mem_dup(name.p, name.n), name.n };
	l->list[l->n++] = s;
	table_add(&l->index, hash_bytes(name), s);
	return s;
}

void name_sums_done(struct name_sums_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free((char *)l->list[i]->name.p);
		free(l->list[i]);
	}
	free(l->list);
	table_done(&l->index);
}

int name_sums_cmp(const void *pa, const void *pb, void *arg)
{
	const struct name_sums *a = *(struct name_sums *const *)pa,
			       *b = *(struct name_sums *const *)pb;
	enum name_sums_order order = *(const enum name_sums_order *)arg;
	uint64_t x = order == BY_N ? a->n : order == BY_BYTES ? a->n_bytes : a->n_series;
	uint64_t y = order == BY_N ? b->n : order == BY_BYTES ? b->n_bytes : b->n_series;

	return x != y ? (x < y) - (x > y) : str_cmp(a->name, b->name);
}
