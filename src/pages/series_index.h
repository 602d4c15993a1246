/*
 * Which group owns a series: hash -> owner (the group's slot), for the whole store. Also used for
 * keys and ids of groups. One thread at a time. It has 256 small tables that grow one at a
 * time, so that no push pays for moving everything, and 8 bytes an entry, since only 40 bits of a
 * hash are kept: entries that agree in these are all kept, and compared by the caller.
 */
#ifndef PAGES_SERIES_INDEX_H
#define PAGES_SERIES_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct series_entry {
	uint32_t hash;  /* the lower half; the highest 8 bits are its table */
	uint32_t owner; /* 0: free */
};

struct series_shard {
	struct series_entry *entries;
	uint32_t n, cap;
};

struct series_index {
	struct series_shard shards[256];
	bool many; /* see series_index_begin_many() */
};

void series_index_done(struct series_index *x);
/* owner > 0 */
void series_index_add(struct series_index *x, uint64_t hash, uint32_t owner);
/*
 * Between begin and end many series are added: tables grow faster, and at the end give back what
 * they do not need.
 */
void series_index_begin_many(struct series_index *x);
void series_index_end_many(struct series_index *x);
/*
 * Call some steps before one of the other functions: brings the place of the hash into the cache.
 */
void series_index_prefetch(const struct series_index *x, uint64_t hash);
/*
 * Call fewer steps before: returns the probable owner of the hash, for the caller to prefetch; 0:
 * there is none.
 */
uint32_t series_index_peek(const struct series_index *x, uint64_t hash);
/* The entry must be there. */
void series_index_remove(struct series_index *x, uint64_t hash, uint32_t owner);

/*
 * Iterates over possible owners of the hash; *at starts as SERIES_INDEX_START. Returns 0 at the
 * end.
 */
#define SERIES_INDEX_START UINT32_MAX
uint32_t series_index_next(const struct series_index *x, uint64_t hash, uint32_t *at);

#endif
