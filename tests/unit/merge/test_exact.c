/* Sums of doubles against a sum with as many bits as there can be, and against known ones. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "merge/exact.h"

enum { MAX = 12 };

static const struct {
	const char *name;
	double in[MAX];
	unsigned n;
	double want;
} rows[] = {
	{ "nothing", { 0 }, 0, 0 },
	{ "zeros", { 0, -0.0 }, 2, 0 },
	{ "one", { 1.5 }, 1, 1.5 },
	{ "negative", { -1.5 }, 1, -1.5 },
	{ "0.1 + 0.2 + 0.3", { 0.1, 0.2, 0.3 }, 3, 0.6 },
	{ "0.3 + 0.2 + 0.1", { 0.3, 0.2, 0.1 }, 3, 0.6 },
	{ "ten tenths", { .1, .1, .1, .1, .1, .1, .1, .1, .1, .1 }, 10, 1 },
	{ "small beside large", { 1e100, 1, -1e100 }, 3, 1 },
	{ "cancels", { 1e16, 1, -1e16, -1 }, 4, 0 },
	{ "half, to even below", { 9007199254740992, 1 }, 2, 9007199254740992 },
	{ "half, to even above", { 9007199254740994, 1 }, 2, 9007199254740996 },
	{ "more than half", { 9007199254740992, 1, 1e-300 }, 3, 9007199254740994 },
	{ "less than half", { 9007199254740994, 1, -1e-300 }, 3, 9007199254740994 },
	{ "negative half", { -9007199254740992, -1 }, 2, -9007199254740992 },
	{ "negative, more than half", { -9007199254740992, -1, -1e-300 }, 3, -9007199254740994 },
	{ "smallest", { 5e-324 }, 1, 5e-324 },
	{ "smallest twice", { 5e-324, 5e-324 }, 2, 1e-323 },
	{ "below normal", { DBL_MIN, -5e-324 }, 2, 2.225073858507201e-308 },
	{ "largest", { DBL_MAX }, 1, DBL_MAX },
	{ "over the largest and back", { DBL_MAX, DBL_MAX, -DBL_MAX }, 3, DBL_MAX },
	{ "over the largest", { DBL_MAX, DBL_MAX }, 2, HUGE_VAL },
	{ "under the lowest", { -DBL_MAX, -DBL_MAX }, 2, -HUGE_VAL },
	{ "just under half above the largest", { DBL_MAX, 9.9792015476735e+291 }, 2, DBL_MAX },
	{ "half above the largest", { DBL_MAX, 9.979201547673599e+291 }, 2, HUGE_VAL },
	{ "a power of two words", { 0x1p-1010 }, 1, 0x1p-1010 },
	{ "its negative", { -0x1p-1010 }, 1, -0x1p-1010 },
	{ "all of the range", { DBL_MAX, 5e-324 }, 2, DBL_MAX },
	{ "rounds up into the next power", { 0x1.fffffffffffffp52, 0.5 }, 2, 0x1p53 },
};

static void check_same(const char *name, double got, double want)
{
	uint64_t got_bits, want_bits;

	memcpy(&got_bits, &got, sizeof(got));
	memcpy(&want_bits, &want, sizeof(want));
	ck_assert_msg(got_bits == want_bits, "%s: %.17g, not %.17g", name, got, want);
}

START_TEST(known_sums)
{
	CLEANUP(exact_done) struct exact e = { 0 };
	CLEANUP(exact_done) struct exact back = { 0 };

	for (unsigned i = 0; i < rows[_i].n; i++) {
		exact_add(&e, rows[_i].in[i]);
		exact_sub(&back, rows[_i].in[rows[_i].n - 1 - i]);
	}
	check_same(rows[_i].name, exact_value(&e), rows[_i].want);
	check_same(rows[_i].name, exact_value(&back), rows[_i].want == 0 ? 0 : -rows[_i].want);
	exact_add_exact(&e, &back);
	ck_assert(exact_is_zero(&e) && e.lo == 0 && !e.cap);
}
END_TEST

/* ---- against a plain integer of all bits ---- */

enum { WIDE = 40 };

static void wide_add(uint64_t w[WIDE], double v)
{
	int exponent;
	int64_t m = (int64_t)ldexp(frexp(v, &exponent), 53);
	int shift = exponent - 53 + 1074;

	if (m == 0)
		return;
	for (; shift < 0; shift++)
		m /= 2; /* exact: it has no more bits */
	for (int bit = 0; bit < 64; bit++) {
		/* Of a negative one the two's complement: all bits above are ones. */
		if (!((uint64_t)(m < 0 ? -m : m) >> bit & 1))
			continue;
		for (int at = (shift + bit) / 64, carry = 1, first = 1; carry && at < WIDE; at++) {
			uint64_t one = first ? UINT64_C(1) << (shift + bit) % 64 : 1,
				 before = w[at];

			w[at] = m < 0 ? before - one : before + one;
			carry = m < 0 ? before < one : w[at] < before;
			first = 0;
		}
	}
}

static void check_bits(const struct exact *e, const uint64_t w[WIDE])
{
	for (unsigned i = 0; i < WIDE; i++) {
		uint64_t rest = e->negative ? UINT64_MAX : 0;
		uint64_t have = i < e->lo                    ? 0
				: i < e->lo + (unsigned)e->n ? exact_words(e)[i - e->lo]
							     : rest;

		ck_assert_msg(have == w[i], "word %u", i);
	}
}

/* Anything finite, or of a few sizes, so that sums cancel. */
static double some_double(uint64_t *r)
{
	uint64_t bits = rng_next(r);
	double v;

	switch (rng_next(r) % 4) {
	case 0:
		memcpy(&v, &bits, sizeof(v));
		return isfinite(v) ? v : 1;
	case 1:
		return (double)(int64_t)(bits % 2001) - 1000;
	case 2:
		return ((double)(int64_t)(bits % 2001) - 1000) / 1000;
	default:
		return ldexp(bits & 1 ? 1 : -1, (int)(bits >> 1) % 128);
	}
}

START_TEST(random_sums)
{
	uint64_t r = (uint64_t)_i + 1;
	CLEANUP(exact_done) struct exact e = { 0 };
	uint64_t w[WIDE] = { 0 };
	double in[200];
	unsigned n = 0;

	for (int step = 0; step < 400; step++) {
		if (n == ARRAY_LEN(in) || (n > 0 && rng_next(&r) % 3 == 0)) {
			unsigned which = (unsigned)(rng_next(&r) % n);

			exact_sub(&e, in[which]);
			wide_add(w, -in[which]);
			in[which] = in[--n];
		} else {
			in[n] = some_double(&r);
			exact_add(&e, in[n]);
			wide_add(w, in[n++]);
		}
		check_bits(&e, w);
	}
	/* In another order: the same bits. */
	CLEANUP(exact_done) struct exact other = { 0 };
	CLEANUP(exact_done) struct exact restored = { 0 };

	while (n > 0)
		exact_add(&other, in[--n]);
	ck_assert(exact_equal(&e, &other));
	ck_assert(exact_restore(&restored, e.lo, e.n, e.negative, exact_words(&e)));
	ck_assert(exact_equal(&e, &restored));
	exact_sub_exact(&e, &other);
	ck_assert(exact_is_zero(&e));
	exact_add_exact(&restored, &restored);
	exact_sub_exact(&restored, &other);
	ck_assert(exact_equal(&restored, &other));
}
END_TEST

/* Of two summands the processor rounds right, too; it knows no other order. */
START_TEST(sums_of_two)
{
	uint64_t r = (uint64_t)_i + 1000;

	for (int i = 0; i < 2000; i++) {
		CLEANUP(exact_done) struct exact e = { 0 };
		double a = some_double(&r), b = some_double(&r);

		exact_add(&e, a);
		exact_add(&e, b);
		check_same("a + b", exact_value(&e), a + b == 0 ? 0 : a + b);
	}
}
END_TEST

START_TEST(more_never_is_less)
{
	uint64_t r = (uint64_t)_i + 2000;
	CLEANUP(exact_done) struct exact e = { 0 };
	double last = 0;

	for (int i = 0; i < 2000; i++) {
		exact_add(&e, fabs(some_double(&r)));
		ck_assert(exact_value(&e) >= last);
		last = exact_value(&e);
	}
	ck_assert_uint_le(e.n, EXACT_MAX_WORDS);
}
END_TEST

START_TEST(what_cannot_be_restored)
{
	uint64_t w[EXACT_MAX_WORDS + 1] = { 0 };
	struct exact e = { 0 };

	ck_assert(!exact_restore(&e, 0, 1, false, w)); /* a 0 at the bottom */
	w[0] = UINT64_MAX;
	ck_assert(!exact_restore(&e, 0, 1, true, w)); /* as the sign says */
	ck_assert(!exact_restore(&e, EXACT_MAX_WORDS, 1, false, w));
	ck_assert(!exact_restore(&e, 0, EXACT_MAX_WORDS + 1, false, w));
	ck_assert(!exact_restore(&e, 1, 0, false, w)); /* 0 has one place */
	ck_assert(exact_restore(&e, 1, 0, true, w));
	check_same("-2^64 of the smallest", exact_value(&e), -0x1p-1010);
	w[0] = 1;
	ck_assert(!exact_restore(&e, 0, 1, false, w)); /* a second time */
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("exact");

	tcase_add_loop_test(tc, known_sums, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, random_sums, 0, 50);
	tcase_add_loop_test(tc, sums_of_two, 0, 20);
	tcase_add_loop_test(tc, more_never_is_less, 0, 5);
	tcase_add_test(tc, what_cannot_be_restored);
	return run_cases_in_one_process("exact", tc);
}
