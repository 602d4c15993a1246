#include "expose/exposed_families.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

static int item_cmp(const void *pa, const void *pb)
{
	const struct exposed_family *a = pa, *b = pb;
	int r = str_cmp(a->name, b->name);

	return r ? r : (b->own != NULL) - (a->own != NULL);
}

/* Clients may push a family with the name of an own one: both become one, with the own header. */
static size_t join_items(struct exposed_family *items, size_t n_items)
{
	size_t n = 0;

	for (size_t i = 0; i < n_items; i++) {
		if (n > 0 && items[n - 1].own && !items[n - 1].stored &&
		    str_eq(items[n - 1].name, items[i].name))
			items[n - 1].stored = items[i].stored;
		else
			items[n++] = items[i];
	}
	return n;
}

struct exposed_family *exposed_families(struct snapshot *snap, const struct own_metrics *own,
					size_t *ret_n)
{
	struct exposed_family *items = mem_alloc((snap->n_families + own->n) * sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < snap->n_families; i++) {
		struct snapshot_family *s = &snap->families[i];

		items[n++] = (struct exposed_family){
			.name = s->unescaped ? bytes_str(s->unescaped) : s->name,
			.stored = s,
		};
	}
	for (size_t i = 0; i < own->n; i++)
		items[n++] = (struct exposed_family){
			.name = own->families[i].name,
			.own = &own->families[i],
		};
	array_sort(items, n, item_cmp);
	*ret_n = join_items(items, n);
	return items;
}
