/* Which native histograms may be shown to a Prometheus. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lib/run.h"
#include "metrics/native.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): what is given is an initialiser. */
#define POS(s, d)                                                                    \
	.pos_spans = (struct span[])s, .n_pos_spans = ARRAY_LEN(((struct span[])s)), \
	.pos_deltas = (int64_t[])d, .n_pos_deltas = ARRAY_LEN(((int64_t[])d))
#define LIST(...)           \
	{                   \
		__VA_ARGS__ \
	}
#define SPANS        \
	{ 0, 2 },    \
	{            \
		3, 1 \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct {
	const char *name;
	struct histogram h;
	bool consistent;
} rows[] = {
	{ "none", { .count = 3 }, true },
	{ "zero bucket only",
	  { .has_schema = true, .has_zero_count = true, .zero_count = 2, .count = 2 },
	  true },
	{ "positive",
	  { .has_schema = true, .count = 15, .zero_count = 2, POS(LIST(SPANS), LIST(5, 1, -4)) },
	  true },
	{ "count too small",
	  { .has_schema = true, .count = 14, .zero_count = 2, POS(LIST(SPANS), LIST(5, 1, -4)) },
	  false },
	{ "count too large",
	  { .has_schema = true, .count = 16, .zero_count = 2, POS(LIST(SPANS), LIST(5, 1, -4)) },
	  false },
	{ "count larger, NaN observed",
	  { .has_schema = true,
	    .count = 16,
	    .sum = (double)NAN,
	    .zero_count = 2,
	    POS(LIST(SPANS), LIST(5, 1, -4)) },
	  true },
	{ "count smaller, NaN observed",
	  { .has_schema = true,
	    .count = 14,
	    .sum = (double)NAN,
	    .zero_count = 2,
	    POS(LIST(SPANS), LIST(5, 1, -4)) },
	  false },
	{ "negative bucket",
	  { .has_schema = true, .count = 4, POS(LIST(SPANS), LIST(5, -6, 6)) },
	  false },
	{ "spans longer than the list",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 3 }), LIST(1, 0)) },
	  false },
	{ "spans shorter than the list",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 1 }), LIST(1, 0)) },
	  false },
	{ "lengths that overflow 32 bits",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 0xFFFFFFFF }, { 0, 3 }), LIST(1, 0)) },
	  false },
	{ "second span goes back",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 1 }, { -1, 1 }), LIST(1, 0)) },
	  false },
	{ "first span below zero",
	  { .has_schema = true, .count = 2, POS(LIST({ -5, 2 }), LIST(1, 0)) },
	  true },
	{ "deltas that overflow",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 2 }), LIST(INT64_MAX, 1)) },
	  false },
	{ "sum that overflows",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 3 }), LIST(INT64_MAX, 0, 0)) },
	  false },
	{ "schema too large", { .has_schema = true, .schema = 9 }, false },
	{ "schema too small", { .has_schema = true, .schema = -5 }, false },
	{ "custom bounds", { .has_schema = true, .schema = -53 }, false },
	{ "threshold below zero", { .has_zero_threshold = true, .zero_threshold = -1 }, false },
	{ "threshold NaN", { .has_zero_threshold = true, .zero_threshold = (double)NAN }, false },
	{ "spans without a schema", { .count = 1, POS(LIST({ 0, 2 }), LIST(1)) }, false },
	{ "floats",
	  { .has_schema = true,
	    .count_float = 2.5,
	    .neg_spans = (struct span[]){ { 0, 1 } },
	    .n_neg_spans = 1,
	    .neg_counts = (double[]){ 2.5 },
	    .n_neg_counts = 1 },
	  true },
	{ "floats above the count",
	  { .has_schema = true,
	    .count_float = 2.4,
	    .neg_spans = (struct span[]){ { 0, 1 } },
	    .n_neg_spans = 1,
	    .neg_counts = (double[]){ 2.5 },
	    .n_neg_counts = 1 },
	  false },
	{ "negative float",
	  { .has_schema = true,
	    .count_float = 2.5,
	    .neg_spans = (struct span[]){ { 0, 1 } },
	    .n_neg_spans = 1,
	    .neg_counts = (double[]){ -1 },
	    .n_neg_counts = 1 },
	  false },
	{ "NaN float",
	  { .has_schema = true,
	    .count_float = 2.5,
	    .neg_spans = (struct span[]){ { 0, 1 } },
	    .n_neg_spans = 1,
	    .neg_counts = (double[]){ (double)NAN },
	    .n_neg_counts = 1 },
	  false },
	{ "float total, integer buckets",
	  { .has_schema = true, .count_float = 15, POS(LIST(SPANS), LIST(5, 1, -4)) },
	  false },
};

START_TEST(histogram_is_consistent)
{
	struct histogram h = rows[_i].h;

	ck_assert_msg(native_is_consistent(&h) == rows[_i].consistent, "%s", rows[_i].name);
	native_drop(&h);
	ck_assert(native_is_consistent(&h));
	ck_assert_uint_eq(h.count, rows[_i].h.count);
	ck_assert(!h.has_schema && !h.has_zero_threshold && !h.n_pos_spans && !h.n_neg_counts);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("native");

	tcase_add_loop_test(tc, histogram_is_consistent, 0, ARRAY_LEN(rows));
	return run_cases("native", tc);
}
