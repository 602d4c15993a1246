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
 * Where many hashes are looked up that are known before, most of the time goes into waiting for
 * memory. Some steps ahead: brings the place of a hash near. Fewer steps ahead: what is likely to
 * be the item, to be brought near in its turn; NULL: there is none. It may not be of that hash.
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
