/*
 * Hash table of pointers: open addressing over (hash, item), several items of one hash allowed,
 * since the caller compares. Items are borrowed. One thread.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_entry {
	uint64_t hash;
	void *item; /* NULL: free */
};

struct table {
	struct table_entry *entries;
	size_t n, cap; /* cap: 0 or a power of two */
};

void table_done(struct table *t);
void table_add(struct table *t, uint64_t hash, void *item);
/* The item must be there. */
void table_remove(struct table *t, uint64_t hash, const void *item);

/*
 * Iterates over the items of one hash:
 *   for (size_t at = table_first(t, h); (item = table_next(t, h, &at));)
 */
static inline size_t table_first(const struct table *t, uint64_t hash)
{
	return t->cap ? hash & (t->cap - 1) : 0;
}

static inline void *table_next(const struct table *t, uint64_t hash, size_t *at)
{
	while (t->cap) {
		const struct table_entry *e = &t->entries[*at];

		if (!e->item)
			return NULL;
		*at = (*at + 1) & (t->cap - 1);
		if (e->hash == hash)
			return e->item;
	}
	return NULL;
}

/*
 * For loops that look up many hashes known in advance, which spend most of their time waiting for
 * memory. table_prefetch(), called some steps ahead of a look-up, brings the place of its hash into
 * the cache. table_peek(), called fewer steps ahead, returns the item that is probably found, for
 * the caller to prefetch; it may have another hash. NULL: there is none.
 */
static inline void table_prefetch(const struct table *t, uint64_t hash)
{
	if (t->cap)
		__builtin_prefetch(&t->entries[hash & (t->cap - 1)]);
}

static inline const void *table_peek(const struct table *t, uint64_t hash)
{
	return t->cap ? t->entries[hash & (t->cap - 1)].item : NULL;
}

#endif
