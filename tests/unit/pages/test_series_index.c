#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "pages/series_index.h"

/*
 * Random entries against an array. `keep` bits of a random number make a hash, `set` bits are on in
 * all of them: what shares a home in its shard, what shares a shard, what cannot be told apart.
 */
static const struct {
	const char *name;
	uint64_t keep, set;
	uint32_t n_hashes, n_owners;
} runs[] = {
	{ "one hash", 0, 42, 1, 50 },
	{ "hash zero", 0, 0, 1, 50 },
	{ "one shard, one home", 0x00FFFFFF000003FFu, 0xAB00000000000000u, 2000, 2 },
	{ "only in bits that are not kept", 0x00FFFFFF00000000u, 7, 50, 2 },
	{ "one shard, homes at its end", 0xF, 0xFF000000FFFFFFF0u, 500, 3 },
	{ "one shard", 0x00FFFFFFFFFFFFFFu, 0xAB00000000000000u, 3000, 2 },
	{ "all shards", ~(uint64_t)0, 0, 20000, 2 },
	{ "few hashes, many owners", 0xFF000000FF000000u, 0, 20, 1000 },
};

enum { OPS = 30000 };

struct pair {
	uint64_t hash;
	uint32_t owner;
};

struct world {
	struct series_index index;
	struct pair *pairs; /* several may be equal */
	uint32_t n;
	uint64_t *hashes;
};

static bool may_be(uint64_t a, uint64_t b)
{
	return ((a ^ b) & 0xFF000000FFFFFFFFu) == 0;
}

static void check_hash(const struct world *w, uint64_t hash, const char *name)
{
	uint32_t owner, at = SERIES_INDEX_START, found = 0, want = 0;
	uint64_t sum = 0, want_sum = 0;

	while ((owner = series_index_next(&w->index, hash, &at)) != 0) {
		found++;
		sum += (uint64_t)owner * owner;
	}
	for (uint32_t i = 0; i < w->n; i++)
		if (may_be(w->pairs[i].hash, hash)) {
			want++;
			want_sum += (uint64_t)w->pairs[i].owner * w->pairs[i].owner;
		}
	ck_assert_msg(found == want && sum == want_sum, "%s: hash %llx has %u owners, wanted %u",
		      name, (unsigned long long)hash, found, want);
}

static void add_one(struct world *w, uint64_t hash, uint32_t owner)
{
	series_index_add(&w->index, hash, owner);
	w->pairs[w->n++] = (struct pair){ hash, owner };
}

static uint64_t remove_one(struct world *w, uint32_t i)
{
	uint64_t hash = w->pairs[i].hash;

	series_index_remove(&w->index, hash, w->pairs[i].owner);
	w->pairs[i] = w->pairs[--w->n];
	return hash;
}

START_TEST(random_run)
{
	struct world w = { .pairs = calloc(OPS, sizeof(*w.pairs)),
			   .hashes = calloc(runs[_i].n_hashes, sizeof(*w.hashes)) };
	uint64_t rng = 1;

	for (uint32_t i = 0; i < runs[_i].n_hashes; i++)
		w.hashes[i] = (rng_next(&rng) & runs[_i].keep) | runs[_i].set;
	for (uint32_t op = 0; op < OPS; op++) {
		/* Grows for a third of the time, shrinks for a third, then both. */
		uint32_t adds = op < OPS / 3 ? 7 : op < OPS / 3 * 2 ? 1 : 4;
		uint64_t hash = w.hashes[rng_below(&rng, runs[_i].n_hashes)];

		if (w.n == 0 || rng_below(&rng, 8) < adds)
			add_one(&w, hash, 1 + rng_below(&rng, runs[_i].n_owners));
		else
			hash = remove_one(&w, rng_below(&rng, w.n));
		/* What it has room for is not what it has. */
		if (op % 4096 == 100)
			series_index_begin_many(&w.index);
		if (op % 4096 == 3000)
			series_index_end_many(&w.index);
		if (op % 32 == 0)
			check_hash(&w, hash, runs[_i].name);
	}
	for (uint32_t i = 0; i < runs[_i].n_hashes && i < 500; i++)
		check_hash(&w, w.hashes[i], runs[_i].name);
	while (w.n > 0)
		remove_one(&w, w.n - 1);
	for (uint32_t i = 0; i < runs[_i].n_hashes; i++)
		check_hash(&w, w.hashes[i], runs[_i].name);
	series_index_done(&w.index);
	free(w.pairs);
	free(w.hashes);
}
END_TEST

/* Whoever is near a place that was looked up ahead is somebody, and alone there it is the owner. */
START_TEST(looking_ahead)
{
	struct series_index x = { 0 };

	ck_assert_uint_eq(series_index_peek(&x, 42), 0);
	series_index_prefetch(&x, 42);
	series_index_add(&x, 42, 7);
	series_index_prefetch(&x, 42);
	ck_assert_uint_eq(series_index_peek(&x, 42), 7);
	series_index_done(&x);
}
END_TEST

/* Of a table that has grown by leaps no more is kept than of one that has not. */
START_TEST(many_at_once)
{
	struct series_index x = { 0 };
	uint64_t rng = 1, places = 0;

	series_index_begin_many(&x);
	for (uint32_t i = 1; i <= 100000; i++)
		series_index_add(&x, rng_next(&rng), i);
	series_index_end_many(&x);
	for (size_t i = 0; i < 256; i++)
		places += x.shards[i].cap;
	ck_assert_uint_lt(places, 100000 * 14 / 10);
	series_index_done(&x);
}
END_TEST

START_TEST(empty)
{
	struct series_index x = { 0 };
	uint32_t at = SERIES_INDEX_START;

	ck_assert_uint_eq(series_index_next(&x, 0, &at), 0);
	series_index_done(&x);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("index");

	tcase_add_loop_test(tc, random_run, 0, (int)ARRAY_LEN(runs));
	tcase_add_test(tc, empty);
	tcase_add_test(tc, looking_ahead);
	tcase_add_test(tc, many_at_once);
	return run_cases("series index", tc);
}
