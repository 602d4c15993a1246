#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "lib/rng.h"
#include "lib/run.h"

/* Few hashes, so that many items share one; `spread` moves them apart in a large table. */
static const struct {
	const char *name;
	uint32_t n_items, n_hashes;
	uint64_t spread;
} runs[] = {
	{ "one hash for all", 200, 1, 1 },
	{ "neighbouring hashes", 300, 40, 1 },
	{ "same low bits", 300, 40, 1 << 20 },
	{ "same high bits", 1000, 1000, 7 },
	{ "all bits", 1500, 1200, 0x9E3779B97F4A7C15u },
	{ "near the end of the table", 300, 5, ~(uint64_t)0 },
};

struct item {
	uint64_t hash;
	bool there;
	unsigned seen;
};

/* Every item that is there comes up once under its hash, and nothing else does. */
static void check_hash(const struct table *t, struct item *items, uint32_t n, uint64_t hash,
		       const char *name)
{
	struct item *it;

	for (size_t at = table_first(t, hash); (it = table_next(t, hash, &at));) {
		ck_assert_msg(it->hash == hash && it->there, "%s: foreign item", name);
		it->seen++;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (items[i].hash == hash)
			ck_assert_msg(items[i].seen == items[i].there, "%s: item %u seen %u times",
				      name, i, items[i].seen);
		items[i].seen = 0;
	}
}

START_TEST(random_run)
{
	uint32_t n = runs[_i].n_items;
	struct item *items = calloc(n, sizeof(*items));
	struct table t = { 0 };
	uint64_t rng = 1;
	size_t there = 0;

	ck_assert_ptr_nonnull(items);
	for (uint32_t i = 0; i < n; i++)
		items[i].hash = rng_below(&rng, runs[_i].n_hashes) * runs[_i].spread;
	for (uint32_t op = 0; op < 12000; op++) {
		struct item *it = &items[rng_below(&rng, n)];
		/* Fills up first, then empties: both growing and shrinking. */
		bool want = op / 3000 % 2 == 0 ? !rng_one_in(&rng, 4) : rng_one_in(&rng, 4);

		if (want && !it->there)
			table_add(&t, it->hash, it);
		else if (!want && it->there)
			table_remove(&t, it->hash, it);
		there += (size_t)want - it->there;
		it->there = want;
		ck_assert_uint_eq(t.n, there);
		if (op % 32 == 0)
			check_hash(&t, items, n, it->hash, runs[_i].name);
	}
	for (uint32_t i = 0; i < n; i++)
		check_hash(&t, items, n, items[i].hash, runs[_i].name);
	table_done(&t);
	free(items);
}
END_TEST

START_TEST(empty)
{
	struct table t = { 0 };
	size_t at = table_first(&t, 42);

	ck_assert_ptr_null(table_next(&t, 42, &at));
	table_done(&t);
	table_done(&t);
}
END_TEST

START_TEST(gives_memory_back)
{
	struct table t = { 0 };
	char items[4096];

	for (size_t i = 0; i < sizeof(items); i++)
		table_add(&t, i * 3, &items[i]);
	for (size_t i = 0; i < sizeof(items); i++)
		table_remove(&t, i * 3, &items[i]);
	ck_assert_uint_eq(t.n, 0);
	ck_assert_uint_le(t.cap, 64);
	table_done(&t);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("table");

	tcase_add_loop_test(tc, random_run, 0, (int)ARRAY_LEN(runs));
	tcase_add_test(tc, empty);
	tcase_add_test(tc, gives_memory_back);
	return run_cases("table", tc);
}
