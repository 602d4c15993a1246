/*
 * Which group owns a series: 64-bit series hash -> group id, for the whole store. Only the
 * committer uses it. 256 small tables that grow one at a time, so that no push pays for moving
 * everything. 12 bytes an entry; equal hashes are kept side by side and compared by the caller.
 */
#ifndef STORE_SERIES_INDEX_H
#define STORE_SERIES_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct series_shard {
	uint64_t *hashes;
	uint32_t *owners; /* 0: free */
	uint32_t n, cap;
};

struct series_index {
	struct series_shard shards[256];
};

void series_index_done(struct series_index *x);
/* owner > 0 */
void series_index_add(struct series_index *x, uint64_t hash, uint32_t owner);
/* The entry must be there. */
void series_index_remove(struct series_index *x, uint64_t hash, uint32_t owner);

/*
 * Iterates over the owners of one hash; *at starts as SERIES_INDEX_START. Returns 0 at the end.
 */
#define SERIES_INDEX_START UINT32_MAX
uint32_t series_index_next(const struct series_index *x, uint64_t hash, uint32_t *at);

#endif
