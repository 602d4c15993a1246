/*
 * Native histograms added up. The sums of the table are those of Prometheus's FloatHistogram.Add()
 * but where the zero bucket ends within a bucket of the lower schema: Prometheus lets both overlap,
 * and takes what comes of that for a reset of the counter.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "merge/native_sums.h"
#include "metrics/native_histogram.h"

enum { MAX_TERMS = 8, MAX_COUNTS = 32 };

/* "SCHEMA THRESHOLD ZERO INDEX:COUNT... -INDEX:COUNT...", where -n is bucket n of negative numbers
 * and m3 an index that is negative itself. */
static struct native *native_of(const char *text)
{
	struct native *v = mem_zalloc(native_size(MAX_COUNTS));
	char *at = (char *)text;

	v->schema = (int32_t)strtol(at, &at, 10);
	v->threshold = strtod(at, &at);
	v->zero = strtod(at, &at);
	while (*(at += strspn(at, " "))) {
		struct native_count *c = &v->counts[v->n++];
		int sign = 1;

		c->negative = *at == '-';
		at += c->negative;
		if (*at == 'm') {
			sign = -1;
			at++;
		}
		c->index = sign * (int32_t)strtol(at, &at, 10);
		c->count = strtod(at + 1, &at);
	}
	return v;
}

static void text_of(const struct native *v, struct strbuf *out)
{
	out->n = 0;
	strbuf_addf(out, "%d %.17g %.17g", v->schema, v->threshold, v->zero);
	for (uint32_t i = 0; i < v->n; i++)
		strbuf_addf(out, " %s%s%d:%.17g", v->counts[i].negative ? "-" : "",
			    v->counts[i].index < 0 ? "m" : "", abs(v->counts[i].index),
			    v->counts[i].count);
}

static const struct {
	const char *name;
	const char *terms[MAX_TERMS], *want;
} table[] = {
	{ "one alone", { "3 0 1 1:2 5:1 -2:4" }, "3 0 1 1:2 5:1 -2:4" },
	{ "none observed", { "3 0.5 0" }, "3 0.5 0" },
	{ "the same buckets", { "0 0 1 1:2", "0 0 2 1:3" }, "0 0 3 1:5" },
	{ "other buckets", { "0 0 0 m4:1 2:1", "0 0 0 1:1 -1:1" }, "0 0 0 m4:1 1:1 2:1 -1:1" },
	{ "fractions", { "0 0 0.5 1:0.1", "0 0 0 1:0.2" }, "0 0 0.5 1:0.30000000000000004" },
	/* Two buckets become one: 1 and 2 are 1, 3 and 4 are 2; 0 and -1 are 0. */
	{ "the lower schema",
	  { "1 0 0 m1:1 0:2 1:3 2:4 3:5", "0 0 0 1:10" },
	  "0 0 0 0:3 1:17 2:5" },
	{ "the lower schema, of negative numbers",
	  { "2 0 0 -1:1 -4:2 -5:3", "0 0 0" },
	  "0 0 0 -1:3 -2:3" },
	{ "below 0", { "0 0 0 1:1 2:2 5:4", "-2 0 0 1:8" }, "-2 0 0 1:11 2:4" },
	{ "the highest and the lowest", { "8 0 0 1:1 257:1", "-4 0 0" }, "-4 0 0 1:2" },
	{ "the last bucket, and infinities",
	  { "3 0 0 8192:1 8193:2", "0 0 0 1024:4 1025:8" },
	  "0 0 0 1024:5 1025:10" },
	/* Bucket 1 is (1, 2], 0 is (0.5, 1]. */
	{ "the wider zero bucket", { "0 1 1", "0 0.25 2 m1:4 0:8 1:16" }, "0 1 15 1:16" },
	{ "the wider zero bucket, of negative numbers",
	  { "0 1 1", "0 0.25 2 -0:8 -1:16" },
	  "0 1 11 -1:16" },
	{ "it cuts a bucket", { "0 1.5 1", "0 0 0 1:2 2:4" }, "0 2 3 2:4" },
	{ "it cuts one that is empty", { "0 1.5 1", "0 0 0 2:4" }, "0 1.5 1 2:4" },
	{ "it cuts one of negative numbers", { "0 1.5 1", "0 0 0 2:4 -1:8" }, "0 2 9 2:4" },
	{ "it is within a bucket of its own", { "0 1.5 1 1:2" }, "0 2 3" },
	{ "three of them", { "0 0.5 1 0:1", "0 1 1 1:1", "0 0.25 1 0:1 1:1" }, "0 1 5 1:2" },
	/* (1, 1.19] is cut at schema 2 and ends at 1.19: at schema 0 it is (1, 2]. */
	{ "it cuts a bucket of the lower schema",
	  { "2 1.1 1", "2 0 0 1:1 4:2", "0 0 0 2:1" },
	  "0 2 4 2:1" },
};

static void check_sum(const char *name, const char *const *terms, unsigned n, const char *want)
{
	struct native_sums s = { 0 };
	struct native_shape shape = { 0 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct native *total;

	for (unsigned i = 0; i < n; i++) {
		struct native *v = native_of(terms[i]);

		native_sums_add(&s, v, 1);
		shape = native_shape_with(shape, v);
		free(v);
	}
	total = native_sums_total(&s, &shape);
	text_of(total, &got);
	ck_assert_msg(strcmp(strbuf_z(&got), want) == 0, "%s: %s instead of %s", name,
		      strbuf_z(&got), want);
	ck_assert(shape.threshold == total->threshold);
	free(total);
	for (unsigned i = 0; i < n; i++) {
		struct native *v = native_of(terms[i]);

		native_sums_add(&s, v, -1);
		free(v);
	}
	ck_assert_msg(s.n == 0, "%s: something is left of what was taken away", name);
	/* The other way round. */
	for (unsigned i = 0; i < 2 * n; i++) {
		struct native *v = native_of(terms[i % n]);

		native_sums_add(&s, v, i < n ? -1 : 1);
		free(v);
	}
	ck_assert_msg(s.n == 0, "%s: something is left of what was put back", name);
	native_sums_done(&s);
}

START_TEST(sums)
{
	const char *turned[MAX_TERMS];
	unsigned n = 0;

	while (n < MAX_TERMS && table[_i].terms[n])
		n++;
	check_sum(table[_i].name, table[_i].terms, n, table[_i].want);
	for (unsigned i = 0; i < n; i++)
		turned[i] = table[_i].terms[n - 1 - i];
	check_sum(table[_i].name, turned, n, table[_i].want);
}
END_TEST

START_TEST(shapes)
{
	CLEANUP(freep) struct native *a = native_of("3 0.5 0");
	CLEANUP(freep) struct native *b = native_of("1 0.25 0");
	struct native_shape s = native_shape_with((struct native_shape){ 0 }, b);

	s = native_shape_with(s, a);
	ck_assert(s.known && !s.hidden && s.schema == 1 && s.threshold == 0.5);
	s = native_shape_with(s, NULL);
	ck_assert(s.hidden);
	ck_assert(native_shape_with(s, a).hidden);
}
END_TEST

/* ---- spans ---- */

static const struct {
	const char *native;
	double count, sum;
	bool floats;
} written[] = {
	{ "3 0 0", 0, 0, false },
	{ "3 0.001 2 1:3 2:1 4:5 5:1 100:7", 19, 1, false },
	{ "-4 0 0 m30:1 m7:3 -m2:4 -0:1 -9:2", 11, -5, false },
	{ "0 0 0.5 1:1.5 -1:2.5", 4.5, 1, true },
	/* Integers that do not add up are not taken by readers, but for those of NaN. */
	{ "0 0 1 1:1", 3, 1, true },
	{ "0 0 1 1:1", 3, NAN, false },
	{ "0 0 1 1:1", 1, NAN, true },
	{ "8 0 0 1:9007199254740993", 9007199254740993.0, 1, false },
	{ "8 0 0 1:9007199254740994 2:1", 9007199254740996.0, 1, true },
};

START_TEST(spans)
{
	CLEANUP(arena_done) struct arena a;
	CLEANUP(freep) struct native *v = native_of(written[_i].native);
	struct histogram h = { .count = (uint64_t)written[_i].count, .sum = written[_i].sum };
	CLEANUP(freep) struct native *again = NULL;
	uint64_t length = 0;

	if (h.count != written[_i].count) {
		h.count_float = written[_i].count;
		h.count = 0;
	}
	arena_init(&a, 1 << 20);
	ck_assert(native_write(v, &a, &h));
	ck_assert_int_eq(h.count_float > 0 || h.zero_count_float > 0, written[_i].floats);
	ck_assert_ptr_null(native_sum_fault(&h));
	ck_assert_ptr_null(native_histogram_fault(&h));
	ck_assert(native_histogram_is(&h));
	ck_assert(h.n_pos_spans + h.n_neg_spans > 0);
	for (uint32_t i = 0; i < h.n_pos_spans; i++)
		length += h.pos_spans[i].length;
	ck_assert_uint_eq(length, written[_i].floats ? h.n_pos_counts : h.n_pos_deltas);
	again = mem_alloc(native_size(native_room(&h)));
	native_read(&h, again);
	ck_assert(native_same(v, again));
	ck_assert(native_same(NULL, NULL) && !native_same(v, NULL) && !native_same(NULL, v));
}
END_TEST

START_TEST(faults)
{
	struct span span = { 1 << 20, 1 };
	double infinite = HUGE_VAL;
	int64_t one = 1;
	struct histogram h = { .count = 1,
			       .has_schema = true,
			       .pos_spans = &span,
			       .n_pos_spans = 1,
			       .pos_deltas = &one,
			       .n_pos_deltas = 1 };

	ck_assert_ptr_null(native_sum_fault(&h));
	span.offset++;
	ck_assert_str_eq(native_sum_fault(&h), "a bucket is beyond all numbers");
	span.offset = INT32_MIN;
	ck_assert_str_eq(native_sum_fault(&h), "a bucket is beyond all numbers");
	span.offset = 1;
	h.zero_threshold = HUGE_VAL;
	ck_assert_str_eq(native_sum_fault(&h), "its zero bucket holds all numbers");
	h.zero_threshold = 0;
	h.count_float = 1;
	h.pos_counts = &infinite;
	h.n_pos_counts = 1;
	ck_assert_str_eq(native_sum_fault(&h), "a bucket has an infinite count");
	h.zero_count_float = HUGE_VAL;
	ck_assert_str_eq(native_sum_fault(&h), "its zero bucket has an infinite count");
}
END_TEST

/* ---- any order, with some of them taken away again, and the base squashed on the way ---- */

static struct native *some(uint64_t *r)
{
	struct native *v = mem_zalloc(native_size(MAX_COUNTS));
	int32_t index = (int32_t)rng_below(r, 20) - 30;

	v->schema = (int32_t)rng_below(r, 13) - 4;
	v->threshold = ldexp(1 + rng_below(r, 8) / 8.0, (int)rng_below(r, 6) - 5);
	v->zero = rng_below(r, 3);
	for (uint32_t i = 0; i < MAX_COUNTS; i++) {
		if (i == MAX_COUNTS / 2)
			index = (int32_t)rng_below(r, 20) - 30;
		index += 1 + (int32_t)rng_below(r, 9);
		if (rng_one_in(r, 2))
			v->counts[v->n++] = (struct native_count){ index, i >= MAX_COUNTS / 2,
								   0.1 * (1 + rng_below(r, 9)) };
	}
	return v;
}

START_TEST(any_order)
{
	for (uint64_t seed = 1; seed <= 500; seed++) {
		uint64_t r = seed;
		struct native_sums forth = { 0 }, back = { 0 };
		struct native_shape shape = { 0 }, again;
		struct native *v[6], *a, *b;
		double before = 0, after = 0;

		for (int i = 0; i < 6; i++) {
			v[i] = some(&r);
			shape = native_shape_with(shape, v[i]);
			native_sums_add(&forth, v[i], 1);
		}
		for (int i = 5; i >= 0; i--) {
			native_sums_add(&back, v[i], 1);
			if (i == 3)
				native_sums_squash(&back);
			native_sums_add(&back, v[0], 1);
			native_sums_add(&back, v[0], -1);
		}
		again = shape;
		a = native_sums_total(&forth, &shape);
		b = native_sums_total(&back, &again);
		ck_assert_msg(native_same(a, b), "seed %llu", (unsigned long long)seed);
		/* Nothing is lost. */
		for (int i = 0; i < 6; i++) {
			before += v[i]->zero;
			for (uint32_t k = 0; k < v[i]->n; k++)
				before += v[i]->counts[k].count;
			free(v[i]);
		}
		after = a->zero;
		for (uint32_t k = 0; k < a->n; k++)
			after += a->counts[k].count;
		ck_assert_msg(fabs(before - after) < 1e-9, "seed %llu", (unsigned long long)seed);
		free(a);
		free(b);
		native_sums_done(&forth);
		native_sums_done(&back);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("native");

	tcase_add_loop_test(tc, sums, 0, sizeof(table) / sizeof(table[0]));
	tcase_add_test(tc, shapes);
	tcase_add_loop_test(tc, spans, 0, sizeof(written) / sizeof(written[0]));
	tcase_add_test(tc, faults);
	tcase_add_test(tc, any_order);
	return run_cases("native", tc);
}
