#include "base/pool.h"

#include <check.h>
#include <string.h>

#include "lib/rng.h"
#include "lib/run.h"

enum { ITEMS = 5000, STEPS = 200000 };

struct item {
	uint64_t value, zero;
};

/* Taken and given back at random: every item keeps its place and what was written to it. */
START_TEST(random_use)
{
	static struct item *items[ITEMS];
	static uint32_t ids[ITEMS];
	uint64_t rng = 1;
	struct pool p;

	pool_init(&p, sizeof(struct item));
	for (uint64_t step = 1; step <= STEPS; step++) {
		/* Nearly empty, then nearly full, and so on. */
		unsigned i = rng_below(&rng, ITEMS);
		bool fill = rng_below(&rng, 10) < (step / 20000 % 2 ? 1u : 9u);

		if (items[i]) {
			ck_assert_ptr_eq(pool_at(&p, ids[i]), items[i]);
			ck_assert_uint_eq(items[i]->value, ids[i]);
		}
		if (fill && !items[i]) {
			items[i] = pool_take(&p, &ids[i]);
			ck_assert_uint_ne(ids[i], 0);
			ck_assert_uint_eq(items[i]->value + items[i]->zero, 0);
			items[i]->value = ids[i];
		} else if (!fill && items[i]) {
			pool_give(&p, ids[i]);
			items[i] = NULL;
		}
	}
	for (unsigned i = 0; i < ITEMS; i++)
		if (items[i])
			pool_give(&p, ids[i]);
	memset(items, 0, sizeof(items));
	ck_assert_uint_eq(p.n, 0);
	/* All memory but one chunk has gone back, and is not missed. */
	ck_assert_uint_eq(p.n_holes + 1, p.n_chunks);
	ck_assert_uint_le(p.n_chunks, ITEMS / POOL_CHUNK + 2);
	pool_done(&p);
}
END_TEST

/* Numbers stay small while there is room below. */
START_TEST(numbers_are_dense)
{
	uint32_t id, last = 0;
	struct pool p;

	pool_init(&p, 8);
	for (unsigned i = 0; i < 1000; i++) {
		pool_take(&p, &id);
		ck_assert_uint_eq(id, i + 1);
	}
	for (id = 1; id <= 500; id++)
		pool_give(&p, id);
	for (unsigned i = 0; i < 500; i++) {
		pool_take(&p, &id);
		last = id > last ? id : last;
	}
	ck_assert_uint_le(last, 1024);
	pool_done(&p);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("pool");

	tcase_add_test(tc, random_use);
	tcase_add_test(tc, numbers_are_dense);
	return run_cases("pool", tc);
}
