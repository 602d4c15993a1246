#include <check.h>
#include <math.h>

#include "base/buckets.h"
#include "base/cleanup.h"
#include "lib/run.h"

static const double bounds[] = { 1, 2.5, 10 };

/* A bound belongs to the bucket that it ends. */
static const struct {
	const char *name;
	double v;
	unsigned bucket;
} rows[] = {
	{ "negative", -5, 0 },
	{ "zero", 0, 0 },
	{ "at the first bound", 1, 0 },
	{ "just above it", 1.0000000000000002, 1 },
	{ "inside", 2, 1 },
	{ "at the second", 2.5, 1 },
	{ "at the last", 10, 2 },
	{ "above all", 10.5, 3 },
	{ "infinite", (double)INFINITY, 3 },
};

START_TEST(observe_row)
{
	struct buckets h;
	struct buckets_counts c;

	buckets_init(&h, bounds, ARRAY_LEN(bounds));
	buckets_observe(&h, rows[_i].v);
	c = buckets_read(&h);
	ck_assert(c.bounds == bounds && c.n_bounds == ARRAY_LEN(bounds));
	for (unsigned i = 0; i <= ARRAY_LEN(bounds); i++)
		ck_assert_msg(c.buckets[i] == (i == rows[_i].bucket), "%s: bucket %u holds %llu",
			      rows[_i].name, i, (unsigned long long)c.buckets[i]);
	ck_assert(c.count == 1 && c.sum == rows[_i].v);
	buckets_done(&h);
}
END_TEST

START_TEST(adds_up)
{
	struct buckets h;
	struct buckets_counts c;

	buckets_init(&h, bounds, ARRAY_LEN(bounds));
	for (int i = 1; i <= 20; i++)
		buckets_observe(&h, i);
	c = buckets_read(&h);
	ck_assert(c.buckets[0] == 1 && c.buckets[1] == 1 && c.buckets[2] == 8);
	ck_assert(c.buckets[3] == 10 && c.count == 20 && c.sum == 210);
	buckets_done(&h);
}
END_TEST

START_TEST(most_bounds)
{
	double many[BUCKETS_MAX_BOUNDS];
	struct buckets h;

	for (int i = 0; i < BUCKETS_MAX_BOUNDS; i++)
		many[i] = i;
	buckets_init(&h, many, BUCKETS_MAX_BOUNDS);
	buckets_observe(&h, BUCKETS_MAX_BOUNDS);
	ck_assert_uint_eq(buckets_read(&h).buckets[BUCKETS_MAX_BOUNDS], 1);
	buckets_done(&h);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("buckets");

	tcase_add_loop_test(tc, observe_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, adds_up);
	tcase_add_test(tc, most_bounds);
	return run_cases("buckets", tc);
}
