#include <check.h>
#include <math.h>

#include "base/cleanup.h"
#include "base/quantiles.h"
#include "lib/rng.h"
#include "lib/run.h"

#define SECOND INT64_C(1000000000)
#define WINDOW (120 * SECOND)

static const double asked[3] = { 0.5, 0.9, 0.99 };

static bool within(double got, double want)
{
	return fabs(got - want) <= want * 0.025;
}

/* One value alone is every quantile, to 2.5 %. */
static const struct {
	const char *name;
	double v;
} values[] = {
	{ "two nanoseconds", 2e-9 },
	{ "a microsecond", 1e-6 },
	{ "a millisecond", 1.234e-3 },
	{ "one", 1 },
	{ "a few", 3.7 },
	{ "a page", 4096 },
	{ "a body", 64e6 },
	{ "a large body", 4.3e9 },
	{ "the most", 1e12 },
};

START_TEST(error_bound)
{
	struct quantiles q;
	struct quantiles_read r;

	quantiles_init(&q);
	quantiles_observe(&q, values[_i].v, 5 * SECOND);
	r = quantiles_read(&q, asked, 5 * SECOND);
	ck_assert(r.count == 1 && r.sum == values[_i].v);
	for (int k = 0; k < 3; k++)
		ck_assert_msg(within(r.at[k], values[_i].v), "%s: %.17g", values[_i].name, r.at[k]);
	quantiles_done(&q);
}
END_TEST

START_TEST(out_of_range)
{
	struct quantiles q;
	struct quantiles_read r;

	quantiles_init(&q);
	quantiles_observe(&q, 0, 0);
	r = quantiles_read(&q, asked, 0);
	ck_assert(r.at[0] >= 0 && r.at[0] <= 1e-9);
	for (int i = 0; i < 1000; i++)
		quantiles_observe(&q, 1e300, 0);
	r = quantiles_read(&q, asked, 0);
	ck_assert(r.at[0] > 1e12 && isfinite(r.at[0]));
	quantiles_done(&q);
}
END_TEST

START_TEST(nothing_observed)
{
	struct quantiles q;
	struct quantiles_read r;

	quantiles_init(&q);
	r = quantiles_read(&q, asked, 7 * WINDOW);
	ck_assert(r.count == 0 && r.sum == 0);
	for (int k = 0; k < 3; k++)
		ck_assert(isnan(r.at[k]));
	quantiles_done(&q);
}
END_TEST

START_TEST(ranks)
{
	uint64_t rng = 1;
	struct quantiles q;
	struct quantiles_read r;

	quantiles_init(&q);
	/* The numbers from 1 to 1000, each once: 7 is prime to 1000. */
	for (uint32_t i = 0, v = rng_below(&rng, 1000); i < 1000; i++, v = (v + 7) % 1000)
		quantiles_observe(&q, v + 1, (int64_t)i * SECOND / 10);
	r = quantiles_read(&q, asked, 100 * SECOND);
	ck_assert_msg(within(r.at[0], 500) && within(r.at[1], 900) && within(r.at[2], 990),
		      "got %g %g %g", r.at[0], r.at[1], r.at[2]);
	r = quantiles_read(&q, (const double[]){ 0, 1, 0.001 }, 100 * SECOND);
	ck_assert_msg(within(r.at[0], 1) && within(r.at[1], 1000) && within(r.at[2], 1),
		      "got %g %g %g", r.at[0], r.at[1], r.at[2]);
	ck_assert(r.count == 1000 && r.sum == 500500);
	quantiles_done(&q);
}
END_TEST

/* 100 is observed at `first`, 200 at `second`; what is left of them at `read`? */
static const struct {
	const char *name;
	int64_t first, second, read;
	double low, high; /* quantiles 0 and 1; 0: nothing */
} rolls[] = {
	{ "same window", 0, 1, 2, 100, 200 },
	{ "next window", 0, WINDOW, WINDOW, 100, 200 },
	{ "five windows hold both", 0, 4 * WINDOW, 5 * WINDOW - 1, 100, 200 },
	{ "the sixth drops the first", 0, 4 * WINDOW, 5 * WINDOW, 200, 200 },
	{ "the last moment of the first", WINDOW - 1, WINDOW, 5 * WINDOW, 200, 200 },
	{ "the last of the second", 0, 4 * WINDOW, 9 * WINDOW - 1, 200, 200 },
	{ "gone", 0, 4 * WINDOW, 9 * WINDOW, 0, 0 },
	{ "gone for long", 0, 1, 1000 * WINDOW, 0, 0 },
	{ "far from the start", 1000 * WINDOW, 1004 * WINDOW, 1004 * WINDOW, 100, 200 },
	{ "a jump over all windows", 3 * WINDOW, 50 * WINDOW, 50 * WINDOW, 200, 200 },
	{ "a jump of exactly all", 3 * WINDOW, 8 * WINDOW, 8 * WINDOW, 200, 200 },
	{ "a jump of one less", 3 * WINDOW, 7 * WINDOW, 7 * WINDOW, 100, 200 },
	{ "an observation that comes late", 2 * WINDOW, WINDOW, 2 * WINDOW, 100, 200 },
	{ "a reading that comes late", 2 * WINDOW, 2 * WINDOW, WINDOW, 100, 200 },
};

START_TEST(roll_row)
{
	static const double ends[3] = { 0, 0.5, 1 };
	struct quantiles q;
	struct quantiles_read r;

	quantiles_init(&q);
	quantiles_observe(&q, 100, rolls[_i].first);
	quantiles_observe(&q, 200, rolls[_i].second);
	r = quantiles_read(&q, ends, rolls[_i].read);
	/* These two are since the start. */
	ck_assert(r.count == 2 && r.sum == 300);
	if (rolls[_i].low == 0)
		ck_assert_msg(isnan(r.at[0]) && isnan(r.at[2]), "%s: %g %g", rolls[_i].name,
			      r.at[0], r.at[2]);
	else
		ck_assert_msg(within(r.at[0], rolls[_i].low) && within(r.at[2], rolls[_i].high),
			      "%s: %g %g", rolls[_i].name, r.at[0], r.at[2]);
	quantiles_done(&q);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("quantiles");

	tcase_add_loop_test(tc, error_bound, 0, (int)ARRAY_LEN(values));
	tcase_add_test(tc, out_of_range);
	tcase_add_test(tc, nothing_observed);
	tcase_add_test(tc, ranks);
	tcase_add_loop_test(tc, roll_row, 0, (int)ARRAY_LEN(rolls));
	return run_cases("quantiles", tc);
}
