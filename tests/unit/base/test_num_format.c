#include "base/num.h"

#include <check.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/run.h"

enum { N_RANDOM = 200000 };

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static double from_bits(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static uint64_t to_bits(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static const struct {
	double v;
	const char *text;
} formats[] = {
	{ 0, "0" },
	{ -0.0, "0" },
	{ 1, "1" },
	{ -1, "-1" },
	{ 9, "9" },
	{ 10, "10" },
	{ 42, "42" },
	{ 0.1, "0.1" },
	{ -0.5, "-0.5" },
	{ 1.5, "1.5" },
	{ 12.25, "12.25" },
	{ 100, "100" },
	{ 99999, "99999" },
	{ 100000, "100000" },
	{ 123456, "123456" },
	{ 999999, "999999" },
	{ 999999.5, "999999.5" },
	{ 999999.9999999999, "999999.9999999999" },
	{ 1000000, "1e+06" },
	{ 1000000.5, "1.0000005e+06" },
	{ 1234567, "1.234567e+06" },
	{ -1234567, "-1.234567e+06" },
	{ 2100000, "2.1e+06" },
	{ 0.0001, "0.0001" },
	{ 0.00001, "1e-05" },
	{ 0.00009999, "9.999e-05" },
	{ 0.000123, "0.000123" },
	{ 0.0000123, "1.23e-05" },
	{ 0.001, "0.001" },
	{ 0.01, "0.01" },
	{ 0.00012345678901234567, "0.00012345678901234567" },
	{ 123456.7, "123456.7" },
	{ 1234567.8, "1.2345678e+06" },
	{ 1600000000.123, "1.600000000123e+09" },
	{ 3.141592653589793238, "3.141592653589793" },
	{ 0.30000000000000004, "0.30000000000000004" },
	{ 16777217, "1.6777217e+07" },
	{ 1e15, "1e+15" },
	{ 1e16, "1e+16" },
	{ 1e20, "1e+20" },
	{ 1e21, "1e+21" },
	{ 1e22, "1e+22" },
	{ 1e23, "1e+23" },
	{ 9.999999999999999e22, "1e+23" },
	{ 123456789012345678901.0, "1.2345678901234568e+20" },
	{ 18446744073709551615.0, "1.8446744073709552e+19" },
	{ 9007199254740991, "9.007199254740991e+15" },
	{ 9007199254740992, "9.007199254740992e+15" },
	{ 9007199254740993.0, "9.007199254740992e+15" },
	{ 9007199254740994, "9.007199254740994e+15" },
	{ 4503599627370495.5, "4.5035996273704955e+15" },
	{ 1125899906842624.25, "1.1258999068426242e+15" }, /* between two: the even digit */
	{ 1125899906842624.75, "1.1258999068426248e+15" },
	{ 0x1p-44, "5.684341886080802e-14" }, /* ...801 is nearer and reads back as another */
	{ 1e-10, "1e-10" },
	{ 1e-99, "1e-99" },
	{ 1e-100, "1e-100" },
	{ 1e99, "1e+99" },
	{ 1e100, "1e+100" },
	{ 1e308, "1e+308" },
	{ DBL_MAX, "1.7976931348623157e+308" },
	{ -DBL_MAX, "-1.7976931348623157e+308" },
	{ DBL_MIN, "2.2250738585072014e-308" },
	{ 0x0.fffffffffffffp-1022, "2.225073858507201e-308" },
	{ 4.9e-324, "5e-324" },
	{ 1e-323, "1e-323" },
	{ 1.5e-323, "1.5e-323" },
	{ -4.9e-324, "-5e-324" },
	{ DBL_EPSILON, "2.220446049250313e-16" },
	{ (double)INFINITY, "+Inf" },
	{ (double)-INFINITY, "-Inf" },
	{ (double)NAN, "NaN" },
};

START_TEST(format_row)
{
	CLEANUP(freep) char *out = mem_alloc(NUM_MAX);
	unsigned n = num_format(formats[_i].v, out);

	ck_assert_msg(str_eq((struct str){ out, n }, str_of(formats[_i].text)), "%a: %.*s, not %s",
		      formats[_i].v, (int)n, out, formats[_i].text);
}
END_TEST

START_TEST(format_special)
{
	char out[NUM_MAX];

	ck_assert_uint_eq(num_format_signed_zero(-0.0, out), 2);
	ck_assert_mem_eq(out, "-0", 2);
	ck_assert_uint_eq(num_format_signed_zero(0.0, out), 1);
	ck_assert_mem_eq(out, "0", 1);
	ck_assert_uint_eq(num_format_signed_zero(-1.5, out), 4);
	ck_assert_mem_eq(out, "-1.5", 4);
	ck_assert_uint_eq(num_format(-(double)NAN, out), 3);
	ck_assert_mem_eq(out, "NaN", 3);
}
END_TEST

/* digits * 10^exp10 reads back as v. */
static bool reads_back(uint64_t digits, int exp10, double v)
{
	char text[48];

	snprintf(text, sizeof(text), "%" PRIu64 "e%d", digits, exp10);
	return to_bits(strtod(text, NULL)) == to_bits(v);
}

/* The n-digit decimal closest to v > 0 of those that read back as v; false when there is none. */
static bool closest(double v, int n, uint64_t *ret_digits, int *ret_exp10)
{
	static const int order[] = { 0, 1, -1 };
	char text[48];
	uint64_t digits = 0;
	char *p;

	snprintf(text, sizeof(text), "%.*e", n - 1, v);
	for (p = text; *p != 'e'; p++)
		if (*p != '.')
			digits = digits * 10 + (uint64_t)(*p - '0');
	*ret_exp10 = (int)strtol(p + 1, NULL, 10) - n + 1;
	for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
		*ret_digits = digits + (uint64_t)order[i];
		if (reads_back(*ret_digits, *ret_exp10, v))
			return true;
	}
	return false;
}

/* Go's layout of 'g' with precision -1, from C's %e and %f. */
static void layout(uint64_t digits, int exp10, char out[64])
{
	char text[48];
	int n = snprintf(text, sizeof(text), "%" PRIu64, digits);
	int exponent = exp10 + n - 1;

	if (exponent < -4 || exponent > 5)
		snprintf(out, 64, "%c%s%se%c%02d", text[0], n > 1 ? "." : "", text + 1,
			 exponent < 0 ? '-' : '+', abs(exponent));
	else if (exponent < 0)
		snprintf(out, 64, "0.%.*s%s", -exponent - 1, "000", text);
	else if (exp10 >= 0)
		snprintf(out, 64, "%s%.*s", text, exp10, "00000");
	else
		snprintf(out, 64, "%.*s.%s", exponent + 1, text, text + exponent + 1);
}

/* Up to the last that is not 0. */
static int count_digits(const char *text)
{
	int n = 0, last = 0;

	for (; *text && *text != 'e'; text++) {
		if (*text >= '1')
			last = ++n;
		else if (*text == '0' && n > 0)
			n++;
	}
	return last;
}

/*
 * num_format(v) is the closest of the shortest, and num_parse() gives v back. Only a failure
 * calls Check, because what it does for each assertion that holds takes longer than these.
 */
static void check_value(double v)
{
	char out[NUM_MAX + 1], expected[64];
	unsigned len = num_format(v, out);
	int n, exp10;
	uint64_t digits;
	double back;

	out[len] = '\0';
	if (!num_parse((struct str){ out, len }, &back) || to_bits(back) != to_bits(v))
		ck_abort_msg("%a: %s does not read back", v, out);
	v = fabs(v);
	n = count_digits(out);
	if (n > 1 && closest(v, n - 1, &digits, &exp10))
		ck_abort_msg("%a: %s, shorter: %" PRIu64 "e%d", v, out, digits, exp10);
	if (!closest(v, n, &digits, &exp10))
		ck_abort_msg("%a: %s", v, out);
	layout(digits, exp10, expected);
	if (strcmp(out + (out[0] == '-'), expected) != 0)
		ck_abort_msg("%a: %s, not %s", v, out, expected);
}

static void check_around(double v)
{
	check_value(v);
	check_value(nextafter(v, 0));
	check_value(nextafter(v, 2 * v));
}

START_TEST(boundaries)
{
	check_value(DBL_MAX);
	check_value(from_bits(1));
	for (int e = -1073; e <= 1023; e++)
		check_around(ldexp(1, e));
	for (int q = -323; q <= 308; q++) {
		char text[16];

		for (int digit = 1; digit <= (q < 308 ? 9 : 1); digit++) {
			snprintf(text, sizeof(text), "%de%d", digit, q);
			check_value(strtod(text, NULL));
		}
	}
	for (uint64_t i = 1; i <= 2000; i++)
		check_value(from_bits(i));
	for (int i = -1000; i <= 1000; i++)
		check_value(0x1p53 + i);
}
END_TEST

START_TEST(random_bits)
{
	uint64_t state = 88172645463325252u;

	for (unsigned i = 0; i < N_RANDOM; i++) {
		double v = from_bits(next_random(&state));

		if (isfinite(v) && v != 0)
			check_value(v);
	}
}
END_TEST

/* What people push: counts, sizes, milliseconds, ratios. */
START_TEST(random_decimals)
{
	static const double divisors[] = { 1, 10, 100, 1e3, 1e6, 1e9, 3, 1e12 };
	uint64_t state = 2463534242u;

	for (unsigned i = 0; i < N_RANDOM; i++) {
		uint64_t r = next_random(&state);

		check_value((double)((r >> 6 >> (r & 47)) + 1) / divisors[r >> 61]);
	}
}
END_TEST

int main(void)
{
	TCase *rows = tcase_create("rows");
	TCase *sweeps = tcase_create("sweeps");

	tcase_add_loop_test(rows, format_row, 0, (int)ARRAY_LEN(formats));
	tcase_add_test(rows, format_special);
	tcase_add_test(sweeps, boundaries);
	tcase_add_test(sweeps, random_bits);
	tcase_add_test(sweeps, random_decimals);
	tcase_set_timeout(sweeps, 120);
	return run_cases("num_format", rows, sweeps);
}
