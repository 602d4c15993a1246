#include "pages/series_index.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

static const struct series_shard *shard_of(const struct series_index *x, uint64_t hash)
{
	return &x->shards[hash >> 56];
}

/* The first place to look at: the hash, scaled to a capacity that need not be a power of two. */
static uint32_t home(uint32_t hash, uint32_t cap)
{
	return (uint32_t)((uint64_t)hash * cap >> 32);
}

static uint32_t step(uint32_t at, uint32_t cap)
{
	return at + 1 == cap ? 0 : at + 1;
}

void series_index_done(struct series_index *x)
{
	for (size_t i = 0; i < 256; i++)
		free(x->shards[i].entries);
	*x = (struct series_index){ 0 };
}

static void put(struct series_shard *s, struct series_entry entry)
{
	uint32_t at = home(entry.hash, s->cap);

	while (s->entries[at].owner)
		at = step(at, s->cap);
	s->entries[at] = entry;
}

static void resize(struct series_shard *s, uint32_t cap)
{
	struct series_shard old = *s;

	s->cap = cap;
	s->entries = mem_zalloc(cap * sizeof(*s->entries));
	for (uint32_t i = 0; i < old.cap; i++)
		if (old.entries[i].owner)
			put(s, old.entries[i]);
	free(old.entries);
}

void series_index_prefetch(const struct series_index *x, uint64_t hash)
{
	const struct series_shard *s = shard_of(x, hash);

	if (s->cap)
		__builtin_prefetch(&s->entries[home((uint32_t)hash, s->cap)]);
}

uint32_t series_index_peek(const struct series_index *x, uint64_t hash)
{
	const struct series_shard *s = shard_of(x, hash);

	return s->cap ? s->entries[home((uint32_t)hash, s->cap)].owner : 0;
}

void series_index_add(struct series_index *x, uint64_t hash, uint32_t owner)
{
	struct series_shard *s = &x->shards[hash >> 56];

	/*
	 * Grows by a quarter: with powers of two, half of the places of a million series could be
	 * empty.
	 */
	if (s->n + s->n / 4 >= s->cap)
		resize(s, !s->cap ? 16 : x->many ? s->cap * 2 : s->cap + s->cap / 4);
	put(s, (struct series_entry){ (uint32_t)hash, owner });
	s->n++;
}

void series_index_begin_many(struct series_index *x)
{
	x->many = true;
}

void series_index_end_many(struct series_index *x)
{
	x->many = false;
	for (size_t i = 0; i < 256; i++) {
		struct series_shard *s = &x->shards[i];
		uint32_t cap = s->n + s->n / 4 + s->n / 16 + 16;

		if (s->cap > cap)
			resize(s, cap);
	}
}

static uint32_t distance(uint32_t from, uint32_t to, uint32_t cap)
{
	return to >= from ? to - from : to + cap - from;
}

void series_index_remove(struct series_index *x, uint64_t hash, uint32_t owner)
{
	struct series_shard *s = &x->shards[hash >> 56];
	struct series_entry *e = s->entries;
	uint32_t hole = home((uint32_t)hash, s->cap);

	while (e[hole].hash != (uint32_t)hash || e[hole].owner != owner) {
		assert(e[hole].owner);
		hole = step(hole, s->cap);
	}
	/*
	 * A search ends at a hole, so entries behind it that would not be reached any more move
	 * back.
	 */
	for (uint32_t at = step(hole, s->cap); e[at].owner; at = step(at, s->cap)) {
		uint32_t want = home(e[at].hash, s->cap);

		if (distance(want, at, s->cap) >= distance(hole, at, s->cap)) {
			e[hole] = e[at];
			hole = at;
		}
	}
	e[hole].owner = 0;
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
		*at = home((uint32_t)hash, s->cap);
	while (s->entries[*at].owner) {
		const struct series_entry *e = &s->entries[*at];

		*at = step(*at, s->cap);
		if (e->hash == (uint32_t)hash)
			return e->owner;
	}
	return 0;
}
