#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "lib/run.h"

enum { N_RANDOM = 200000 };

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static bool same_number(double a, double b)
{
	return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

/* The slice is the whole of its heap block, so that ASan sees one byte too many. */
static bool parse_copy(struct str text, double *ret_v)
{
	CLEANUP(freep) char *copy = mem_dup(text.p, text.n);

	return num_parse((struct str){ copy, text.n }, ret_v);
}

static const struct {
	const char *text;
	double v;
} accepted[] = {
	{ "0", 0 },
	{ "-0", -0.0 },
	{ "+0", 0 },
	{ "0.0", 0 },
	{ "000", 0 },
	{ "-0e5", -0.0 },
	{ "0e99999999999999999999", 0 },
	{ "1", 1 },
	{ "1.", 1 },
	{ ".5", 0.5 },
	{ "-.5", -0.5 },
	{ "+1", 1 },
	{ "1E3", 1000 },
	{ "1e+3", 1000 },
	{ "1e-3", 0.001 },
	{ "1.e2", 100 },
	{ ".5e1", 5 },
	{ "010", 10 },
	{ "0.1", 0.1 },
	{ "3.141592653589793238", 3.141592653589793238 },
	{ "1600000000.123", 1600000000.123 },
	{ "9007199254740991", 9007199254740991 },
	{ "9007199254740993", 9007199254740992 },
	{ "9007199254740993.00000000000000000000000000001", 9007199254740994 },
	{ "9007199254740993.00000000000000000000000000000", 9007199254740992 },
	{ "4503599627370497.5", 4503599627370498 },
	{ "18446744073709551615", 18446744073709551616.0 },
	{ "9999999999999999999", 1e19 },
	{ "123456789012345678901", 123456789012345678901.0 },
	{ "10000000000000000000000000000000000000000000000e-46", 1 },
	{ "0.0000000000000000000000000000000000000000000001e46", 1 },
	{ "00000000000000000000000000000000000000000000001.50", 1.5 },
	{ "1e22", 1e22 },
	{ "1e23", 1e23 },
	{ "9007199254740993e22", 9007199254740993e22 },
	{ "1e308", 1e308 },
	{ "1.7976931348623157e308", DBL_MAX },
	{ "1.7976931348623158e308", DBL_MAX },
	{ "179769313486231570000e288", DBL_MAX },
	{ "0.00017976931348623157e312", DBL_MAX },
	{ "2.2250738585072014e-308", DBL_MIN },
	{ "2.2250738585072011e-308", 0x0.fffffffffffffp-1022 },
	{ "2.2250738585072012e-308", DBL_MIN },
	{ "5e-324", 0x1p-1074 },
	{ "2.5e-324", 0x1p-1074 },
	{ "2.4703282292062328e-324", 0x1p-1074 },
	{ "2.4703282292062327e-324", 0 },
	{ "2e-324", 0 },
	{ "1e-400", 0 },
	{ "-1e-400", -0.0 },
	{ "1e-99999999999999999999", 0 },
	{ "Inf", (double)INFINITY },
	{ "+inf", (double)INFINITY },
	{ "-INF", (double)-INFINITY },
	{ "infinity", (double)INFINITY },
	{ "+INFINITY", (double)INFINITY },
	{ "-Infinity", (double)-INFINITY },
	{ "nan", (double)NAN },
	{ "NaN", (double)NAN },
	{ "NAN", (double)NAN },
};

START_TEST(accepted_row)
{
	double v = -7;

	ck_assert_msg(parse_copy(str_of(accepted[_i].text), &v), "%s refused", accepted[_i].text);
	ck_assert_msg(same_number(v, accepted[_i].v), "%s: %a, not %a", accepted[_i].text, v,
		      accepted[_i].v);
}
END_TEST

static const char *const refused[] = {
	"",
	"+",
	"-",
	".",
	"-.",
	"e5",
	".e5",
	"1e",
	"1e+",
	"1e-",
	"1ee5",
	"1e5e",
	"1e5.",
	"1e1.5",
	"1e 5",
	" 1",
	"1 ",
	"1\n",
	"1.2.3",
	"..1",
	"1..",
	"--1",
	"++1",
	"+-1",
	"-+1",
	"0x10",
	"0x1p-2",
	"0X1.8",
	"1p3",
	"1_000",
	"0b1",
	"0o7",
	"1f",
	"1d",
	"1,000",
	"1,5",
	"-NaN",
	"+NaN",
	"nan(1)",
	"nan0",
	"na",
	"infin",
	"in",
	"i",
	"infinit",
	"infinityx",
	"null",
	"true",
	"x",
	"1e400",
	"-1e400",
	"2e308",
	"1e309",
	"0.1e310",
	"1e99999999999999999999",
	"1.7976931348623159e308",
	"1.797693134862315808e308",
	"99999999999999999999e289",
};

START_TEST(refused_row)
{
	double v = -7;

	ck_assert_msg(!parse_copy(str_of(refused[_i]), &v), "\"%s\" accepted as %a", refused[_i],
		      v);
	ck_assert_msg(same_number(v, -7), "\"%s\" refused, but changed the result", refused[_i]);
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
	double v;

	ck_assert(!parse_copy(STR("1\0"), &v));
	ck_assert(!parse_copy(STR("\0001"), &v));
	ck_assert(!parse_copy(STR("1\xff"), &v));
	ck_assert(!parse_copy(STR("\xb1"), &v));
	ck_assert(!num_parse(STR_NULL, &v));
}
END_TEST

/*
 * num_parse() and strtod() agree; text ends in a NUL. Only a failure calls Check, because what it
 * does for each assertion that holds takes longer than these.
 */
static void check_text(const char *text)
{
	double expected = strtod(text, NULL);
	double v = -7;
	bool ok = parse_copy(str_of(text), &v);

	if (ok == (isinf(expected) != 0))
		ck_abort_msg("%s: %s", text, ok ? "accepted" : "refused");
	if (ok && !same_number(v, expected))
		ck_abort_msg("%s: %a, not %a", text, v, expected);
}

START_TEST(random_texts)
{
	uint64_t state = 88172645463325252u;
	char text[64];

	for (unsigned i = 0; i < N_RANDOM; i++) {
		uint64_t r = next_random(&state);
		unsigned n = 1 + (unsigned)(r % (r >> 60 ? 20 : 40));
		unsigned point = (unsigned)(r >> 8) % n;
		unsigned at = 0;

		for (unsigned j = 0; j < n; j++) {
			text[at++] = (char)('0' + next_random(&state) % 10);
			if (j == point)
				text[at++] = '.';
		}
		text[at] = '\0';
		int range = r >> 28 & 1 ? 15 : 360;

		if (r >> 16 & 3)
			snprintf(text + at, sizeof(text) - at, "e%d",
				 (int)(r >> 18 & 1023) % (2 * range) - range);
		check_text(text);
	}
}
END_TEST

/* Every double, as printf() writes it with 17 digits. */
START_TEST(random_bits)
{
	uint64_t state = 2463534242u;
	char text[32];

	for (unsigned i = 0; i < N_RANDOM; i++) {
		uint64_t bits = next_random(&state);
		double v;

		memcpy(&v, &bits, sizeof(v));
		if (!isfinite(v))
			continue;
		snprintf(text, sizeof(text), "%.17g", v);
		check_text(text);
	}
}
END_TEST

/*
 * The middle between v and the next double is the hardest: it has up to 767 digits, and what
 * follows them decides.
 */
static void check_middle(double v)
{
	char text[1100];
	long double middle = ((long double)v + (long double)nextafter(v, (double)INFINITY)) / 2;
	char *e;

	snprintf(text, sizeof(text), "%.780Le", middle);
	check_text(text); /* zeros at the end, more than 19 and fewer than 800 digits */
	e = strchr(text, 'e');
	e[-1] = '1';
	check_text(text);
	snprintf(text, sizeof(text), "%.900Le", middle);
	check_text(text);
	e = strchr(text, 'e');
	e[-1] = '1';
	check_text(text); /* the last of more than 800 */
	for (e -= 2; *e == '0'; e--)
		*e = '9';
	--*e;
	check_text(text); /* a little less than the middle */
}

START_TEST(middles)
{
	uint64_t state = 521288629u;

	for (int e = -1074; e < 1023; e++)
		check_middle(ldexp(1, e));
	check_middle(0);
	for (unsigned i = 0; i < 4000; i++) {
		uint64_t bits = next_random(&state) >> 1;
		double v;

		memcpy(&v, &bits, sizeof(v));
		if (v < DBL_MAX)
			check_middle(v);
		check_middle((double)(bits >> 10 >> (i & 31)));
	}
}
END_TEST

START_TEST(long_texts)
{
	enum { ZEROS = 100000 };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	double v;

	strbuf_addc(&b, '1');
	for (unsigned i = 0; i < ZEROS; i++)
		strbuf_addc(&b, '0');
	ck_assert(!parse_copy(strbuf_str(&b), &v));
	strbuf_addf(&b, "e-%d", ZEROS);
	ck_assert(parse_copy(strbuf_str(&b), &v) && same_number(v, 1));
	b.n = 0;
	strbuf_addz(&b, "-0.");
	for (unsigned i = 1; i < ZEROS; i++)
		strbuf_addc(&b, '0');
	strbuf_addf(&b, "25e%d", ZEROS);
	ck_assert(parse_copy(strbuf_str(&b), &v) && same_number(v, -2.5));
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	int64_t v;
} integers[] = {
	{ "0", true, 0 },
	{ "-0", true, 0 },
	{ "7", true, 7 },
	{ "+7", true, 7 },
	{ "-7", true, -7 },
	{ "007", true, 7 },
	{ "1700000000123", true, 1700000000123 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "+0009223372036854775807", true, INT64_MAX },
	{ "-9223372036854775808", true, INT64_MIN },
	{ "9223372036854775808", false, 0 },
	{ "-9223372036854775809", false, 0 },
	{ "99999999999999999999", false, 0 },
	{ "", false, 0 },
	{ "-", false, 0 },
	{ "+", false, 0 },
	{ "--1", false, 0 },
	{ "1-", false, 0 },
	{ "2.0", false, 0 },
	{ "1e3", false, 0 },
	{ "x", false, 0 },
	{ "1_0", false, 0 },
	{ "0x1", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
};

START_TEST(integer_row)
{
	size_t n = strlen(integers[_i].text);
	CLEANUP(freep) char *copy = mem_dup(integers[_i].text, n);
	int64_t v = -99;

	ck_assert_msg(num_parse_i64((struct str){ copy, n }, &v) == integers[_i].ok, "\"%s\"",
		      integers[_i].text);
	ck_assert_int_eq(v, integers[_i].ok ? integers[_i].v : -99);
}
END_TEST

int main(void)
{
	TCase *rows = tcase_create("rows");
	TCase *sweeps = tcase_create("sweeps");

	tcase_add_loop_test(rows, accepted_row, 0, (int)ARRAY_LEN(accepted));
	tcase_add_loop_test(rows, refused_row, 0, (int)ARRAY_LEN(refused));
	tcase_add_loop_test(rows, integer_row, 0, (int)ARRAY_LEN(integers));
	tcase_add_test(rows, bytes_that_are_no_text);
	tcase_add_test(sweeps, random_texts);
	tcase_add_test(sweeps, random_bits);
	tcase_add_test(sweeps, middles);
	tcase_add_test(sweeps, long_texts);
	tcase_set_timeout(sweeps, 120);
	return run_cases("num_parse", rows, sweeps);
}
