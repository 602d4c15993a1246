#include "store/series_index.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

static const struct series_shard *shard_of(const struct series_index *x, uint64_t hash)
{
	return &x->shards[hash >> 56];
}

/* Where the hash would like to be: its lower bits scaled to a capacity of any size. */
static uint32_t home(uint64_t hash, uint32_t cap)
{
	return (uint32_t)((uint64_t)(uint32_t)hash * cap >> 32);
}

static uint32_t step(uint32_t at, uint32_t cap)
{
	return at + 1 == cap ? 0 : at + 1;
}

void series_index_done(struct series_index *x)
{
	for (size_t i = 0; i < 256; i++) {
		free(x->shards[i].hashes);
		free(x->shards[i].owners);
	}
	*x = (struct series_index){ 0 };
}

static void put(struct series_shard *s, uint64_t hash, uint32_t owner)
{
	uint32_t at = home(hash, s->cap);

	while (s->owners[at])
		at = step(at, s->cap);
	s->hashes[at] = hash;
	s->owners[at] = owner;
}

static void resize(struct series_shard *s, uint32_t cap)
{
	struct series_shard old = *s;

	s->cap = cap;
	s->hashes = mem_alloc(cap * sizeof(*s->hashes));
	s->owners = mem_zalloc(cap * sizeof(*s->owners));
	for (uint32_t i = 0; i < old.cap; i++)
		if (old.owners[i])
			put(s, old.hashes[i], old.owners[i]);
	free(old.hashes);
	free(old.owners);
}

void series_index_add(struct series_index *x, uint64_t hash, uint32_t owner)
{
	struct series_shard *s = &x->shards[hash >> 56];

	/* By a quarter: a power of two would leave half of a million entries empty. */
	if (s->n + s->n / 4 >= s->cap)
		resize(s, s->cap ? s->cap + s->cap / 4 : 16);
	put(s, hash, owner);
	s->n++;
}

static uint32_t distance(uint32_t from, uint32_t to, uint32_t cap)
{
	return to >= from ? to - from : to + cap - from;
}

void series_index_remove(struct series_index *x, uint64_t hash, uint32_t owner)
{
	struct series_shard *s = &x->shards[hash >> 56];
	uint32_t hole = home(hash, s->cap);

	while (s->hashes[hole] != hash || s->owners[hole] != owner) {
		assert(s->owners[hole]);
		hole = step(hole, s->cap);
	}
	/* Move back what the hole would cut off from its home. */
	for (uint32_t at = step(hole, s->cap); s->owners[at]; at = step(at, s->cap)) {
		uint32_t want = home(s->hashes[at], s->cap);

		if (distance(want, at, s->cap) >= distance(hole, at, s->cap)) {
			s->hashes[hole] = s->hashes[at];
			s->owners[hole] = s->owners[at];
			hole = at;
		}
	}
	s->owners[hole] = 0;
	s->n--;
	if (s->cap > 64 && s->n < s->cap / 4)
		resize(s, s->cap / 2);
}

uint32_t series_index_next(const struct series_index *x, uint64_t hash, uint32_t *at)
{
	const struct series_shard *s = shard_of(x, hash);

	if (!s->cap)
		return 0;
	if (*at == SERIES_INDEX_START)
		*at = home(hash, s->cap);
	while (s->owners[*at]) {
		uint32_t found = s->hashes[*at] == hash ? s->owners[*at] : 0;

		*at = step(*at, s->cap);
		if (found)
			return found;
	}
	return 0;
}
