#include "base/table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void table_done(struct table *t)
{
	free(t->entries);
	*t = (struct table){ 0 };
}

static void put(struct table *t, uint64_t hash, void *item)
{
	size_t at = hash & (t->cap - 1);

	while (t->entries[at].item)
		at = (at + 1) & (t->cap - 1);
	t->entries[at] = (struct table_entry){ hash, item };
}

static void resize(struct table *t, size_t cap)
{
	struct table_entry *old = t->entries;
	size_t old_cap = t->cap;

	t->entries = mem_zalloc(cap * sizeof(*t->entries));
	t->cap = cap;
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].item)
			put(t, old[i].hash, old[i].item);
	free(old);
}

void table_add(struct table *t, uint64_t hash, void *item)
{
	if ((t->n + 1) * 4 > t->cap * 3)
		resize(t, t->cap ? t->cap * 2 : 16);
	put(t, hash, item);
	t->n++;
}

void table_remove(struct table *t, uint64_t hash, const void *item)
{
	size_t mask = t->cap - 1;
	size_t hole = hash & mask;

	while (t->entries[hole].item != item) {
		assert(t->entries[hole].item);
		hole = (hole + 1) & mask;
	}
	/* Move back what would otherwise be cut off from its home by the hole. */
	for (size_t at = (hole + 1) & mask; t->entries[at].item; at = (at + 1) & mask) {
		size_t home = t->entries[at].hash & mask;

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			t->entries[hole] = t->entries[at];
			hole = at;
		}
	}
	t->entries[hole].item = NULL;
	t->n--;
	if (t->cap > 64 && t->n * 8 < t->cap)
		resize(t, t->cap / 2);
}
