/* Bounds of native buckets: the digits of Prometheus's table (model/histogram/generic.go). */
#include <float.h>
#include <math.h>

#include "lib/run.h"
#include "metrics/native_bounds.h"

static const struct {
	int schema;
	int64_t index;
	double bound;
} table[] = {
	{ 0, 0, 1 },
	{ 0, 1, 2 },
	{ 0, -3, 0.125 },
	{ -2, 1, 16 },
	{ -4, -1, 1.0 / 65536 },
	{ 1, 1, 2 * 0.7071067811865475 },
	{ 2, 3, 2 * 0.8408964152537144 },
	{ 3, -1, 0.9170040432046711 },
	{ 8, 6, 2 * 0.5081891574554764 },
	{ 8, 194, 2 * 0.8454623996346523 },
	{ 8, 255, 2 * 0.9972960560854698 },
	{ 8, 256 + 255, 4 * 0.9972960560854698 },
	/* The last one of numbers, and that of infinities. */
	{ 0, 1024, DBL_MAX },
	{ 0, 1025, HUGE_VAL },
	{ 3, 8192, DBL_MAX },
	{ 3, 8193, HUGE_VAL },
	{ -3, 128, DBL_MAX },
	{ -3, 129, HUGE_VAL },
	{ 8, INT32_MAX, HUGE_VAL },
	{ 8, INT32_MIN, 0 },
	{ -4, INT32_MAX, HUGE_VAL },
	{ -4, INT32_MIN, 0 },
};

START_TEST(bounds)
{
	double v = native_upper_bound(table[_i].schema, table[_i].index);

	ck_assert_msg(v == table[_i].bound, "schema %d, bucket %lld: %.17g", table[_i].schema,
		      (long long)table[_i].index, v);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("native_bounds");

	tcase_add_loop_test(tc, bounds, 0, sizeof(table) / sizeof(table[0]));
	return run_cases("native_bounds", tc);
}
