/* Which native histograms may be shown to a Prometheus. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/run.h"
#include "metrics/native_histogram.h"

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
	const char *want; /* the fault; NULL: none */
} rows[] = {
	{ "none", { .count = 3 }, NULL },
	{ "zero bucket only",
	  { .has_schema = true, .has_zero_count = true, .zero_count = 2, .count = 2 },
	  NULL },
	{ "positive",
	  { .has_schema = true, .count = 15, .zero_count = 2, POS(LIST(SPANS), LIST(5, 1, -4)) },
	  NULL },
	{ "count too small",
	  { .has_schema = true, .count = 14, .zero_count = 2, POS(LIST(SPANS), LIST(5, 1, -4)) },
	  "its buckets do not add up to its count" },
	{ "count too large",
	  { .has_schema = true, .count = 16, .zero_count = 2, POS(LIST(SPANS), LIST(5, 1, -4)) },
	  "its buckets do not add up to its count" },
	{ "count larger, NaN observed",
	  { .has_schema = true,
	    .count = 16,
	    .sum = (double)NAN,
	    .zero_count = 2,
	    POS(LIST(SPANS), LIST(5, 1, -4)) },
	  NULL },
	{ "count smaller, NaN observed",
	  { .has_schema = true,
	    .count = 14,
	    .sum = (double)NAN,
	    .zero_count = 2,
	    POS(LIST(SPANS), LIST(5, 1, -4)) },
	  "its buckets do not add up to its count" },
	{ "negative bucket",
	  { .has_schema = true, .count = 4, POS(LIST(SPANS), LIST(5, -6, 6)) },
	  "a bucket has a negative count" },
	{ "spans longer than the list",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 3 }), LIST(1, 0)) },
	  "its spans are not as long as there are buckets" },
	{ "spans shorter than the list",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 1 }), LIST(1, 0)) },
	  "its spans are not as long as there are buckets" },
	{ "lengths that overflow 32 bits",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 0xFFFFFFFF }, { 0, 3 }), LIST(1, 0)) },
	  "its spans are not as long as there are buckets" },
	{ "second span goes back",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 1 }, { -1, 1 }), LIST(1, 0)) },
	  "a span after the first has a negative offset" },
	{ "first span below zero",
	  { .has_schema = true, .count = 2, POS(LIST({ -5, 2 }), LIST(1, 0)) },
	  NULL },
	{ "deltas that overflow",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 2 }), LIST(INT64_MAX, 1)) },
	  "a bucket has a negative count" },
	{ "sum that overflows",
	  { .has_schema = true, .count = 2, POS(LIST({ 0, 3 }), LIST(INT64_MAX, 0, 0)) },
	  "its buckets hold more than can be counted" },
	{ "schema too large",
	  { .has_schema = true, .schema = 9 },
	  "its schema is not one of -4 to 8" },
	{ "schema too small",
	  { .has_schema = true, .schema = -5 },
	  "its schema is not one of -4 to 8" },
	{ "custom bounds",
	  { .has_schema = true, .schema = -53 },
	  "its schema is not one of -4 to 8" },
	{ "threshold below zero",
	  { .has_zero_threshold = true, .zero_threshold = -1 },
	  "its zero threshold is negative or no number" },
	{ "threshold NaN",
	  { .has_zero_threshold = true, .zero_threshold = (double)NAN },
	  "its zero threshold is negative or no number" },
	{ "spans without a schema",
	  { .count = 1, POS(LIST({ 0, 2 }), LIST(1)) },
	  "its spans are not as long as there are buckets" },
	{ "floats",
	  { .has_schema = true,
	    .count_float = 2.5,
	    .neg_spans = (struct span[]){ { 0, 1 } },
	    .n_neg_spans = 1,
	    .neg_counts = (double[]){ 2.5 },
	    .n_neg_counts = 1 },
	  NULL },
	{ "floats that add up to more than the count",
	  { .has_schema = true,
	    .count_float = 2.4,
	    .neg_spans = (struct span[]){ { 0, 1 } },
	    .n_neg_spans = 1,
	    .neg_counts = (double[]){ 2.5 },
	    .n_neg_counts = 1 },
	  NULL },
	{ "negative float",
	  { .has_schema = true,
	    .count_float = 2.5,
	    .neg_spans = (struct span[]){ { 0, 1 } },
	    .n_neg_spans = 1,
	    .neg_counts = (double[]){ -1 },
	    .n_neg_counts = 1 },
	  "a bucket has a negative count" },
	{ "NaN float",
	  { .has_schema = true,
	    .count_float = 2.5,
	    .neg_spans = (struct span[]){ { 0, 1 } },
	    .n_neg_spans = 1,
	    .neg_counts = (double[]){ (double)NAN },
	    .n_neg_counts = 1 },
	  "a bucket has a negative count" },
	{ "float total, integer buckets",
	  { .has_schema = true, .count_float = 15, POS(LIST(SPANS), LIST(5, 1, -4)) },
	  "its spans are not as long as there are buckets" },
};

START_TEST(histogram_is_consistent)
{
	struct histogram h = rows[_i].h;

	const char *fault = native_histogram_fault(&h);

	ck_assert_msg(!fault == !rows[_i].want && (!fault || !strcmp(fault, rows[_i].want)),
		      "%s: %s", rows[_i].name, fault);
	native_histogram_drop(&h);
	ck_assert_ptr_null(native_histogram_fault(&h));
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
