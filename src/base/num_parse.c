/*
 * Decimals to doubles, always correctly rounded. Three ways, the next one for what the one before
 * cannot decide: one exact operation on two exact doubles (Clinger); 19 digits times a 128-bit
 * power of ten (after Lemire, "Number parsing at a gigabyte per second", 2021); strtod().
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/num_pow10.h"

enum {
	MAX_DIGITS = 19, /* that always fit 64 bits */
	MAX_SHORT = 16,  /* with a point no more than 2^53 */
	/* No double, and no middle between two, has more than 767 digits. */
	SLOW_DIGITS = 800,
	MAX_EXACT_POW10 = 22,
};

/* The parts of a number that is well formed: whole digits of `mantissa` with or without a point. */
struct scan {
	struct str mantissa;
	uint64_t digits; /* of the mantissa; the first 19 that count when `cut` */
	int64_t exp10;   /* what belongs to `digits` */
	int64_t fraction_digits;
	int64_t exponent; /* as written */
	bool cut;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *scan_digits(const char *p, const char *end, uint64_t *digits)
{
	for (; p < end && is_digit(*p); p++)
		*digits = *digits * 10 + (uint64_t)(*p - '0');
	return p;
}

/* What follows the 'e'; stops growing where no mantissa that fits memory can make up for it. */
static bool scan_exponent(const char *p, const char *end, int64_t *ret_exponent)
{
	const int64_t enough = 1000000000000000;
	bool negative = p < end && *p == '-';
	int64_t e = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return false;
	for (; p < end && is_digit(*p); p++)
		if (e < enough)
			e = e * 10 + (*p - '0');
	*ret_exponent = negative ? -e : e;
	return p == end;
}

/* What significant_digits() had no room for. */
struct leftover {
	int64_t digits;
	bool matters; /* one of them is not 0 */
};

/* Copies up to `max` digits, from the first that is not 0, and returns how many. */
static unsigned significant_digits(struct str mantissa, char *to, unsigned max,
				   struct leftover *ret_left)
{
	struct leftover left = { 0 };
	unsigned n = 0;

	for (size_t i = 0; i < mantissa.n; i++) {
		char c = mantissa.p[i];

		if (c == '.' || (n == 0 && c == '0'))
			continue;
		if (n < max) {
			to[n++] = c;
		} else {
			left.digits++;
			left.matters |= c != '0';
		}
	}
	*ret_left = left;
	return n;
}

/* More than 19 digits have overflowed `digits`, unless they began with zeros. */
static void cut_digits(struct scan *s)
{
	char kept[MAX_DIGITS];
	struct leftover left;
	unsigned n = significant_digits(s->mantissa, kept, MAX_DIGITS, &left);

	s->digits = 0;
	scan_digits(kept, kept + n, &s->digits);
	s->exp10 += left.digits;
	s->cut = left.matters;
}

/* Digits, point and exponent, without the sign. */
static bool scan_decimal(const char *p, const char *end, struct scan *s)
{
	const char *start = p;
	int64_t n_digits;

	*s = (struct scan){ 0 };
	p = scan_digits(p, end, &s->digits);
	n_digits = p - start;
	if (p < end && *p == '.') {
		const char *fraction = p + 1;

		p = scan_digits(fraction, end, &s->digits);
		s->fraction_digits = p - fraction;
		n_digits += s->fraction_digits;
	}
	if (n_digits == 0)
		return false;
	s->mantissa = (struct str){ start, (size_t)(p - start) };
	if (p < end && ((*p | 0x20) != 'e' || !scan_exponent(p + 1, end, &s->exponent)))
		return false;
	s->exp10 = s->exponent - s->fraction_digits;
	if (n_digits > MAX_DIGITS)
		cut_digits(s);
	return true;
}

/* A product or quotient of two exact doubles is rounded once, by the processor. */
static bool scale_exact(uint64_t digits, int64_t exp10, double *ret_v)
{
	static const double powers[MAX_EXACT_POW10 + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
							    1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
							    1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
							    1e18, 1e19, 1e20, 1e21, 1e22 };

	if (exp10 == 0) {
		*ret_v = (double)digits;
		return true;
	}
	if (digits > 1ull << 53 || exp10 < -MAX_EXACT_POW10 || exp10 > MAX_EXACT_POW10)
		return false;
	*ret_v = exp10 < 0 ? (double)digits / powers[-exp10] : (double)digits * powers[exp10];
	return true;
}

/*
 * m holds the 128 highest bits of the product and the truth is less than 1 away on either side:
 * only on the middle between two doubles the direction is not known. Returns false there and for
 * numbers that are not normal, too small or too large.
 */
static bool round_product(unsigned __int128 m, int exp2, double *ret_v)
{
	unsigned drop = 74 + (unsigned)(m >> 127);
	unsigned __int128 half = (unsigned __int128)1 << (drop - 1);
	unsigned __int128 rest = m & (2 * half - 1);
	uint64_t kept = (uint64_t)(m >> drop) + (rest > half);
	int biased = exp2 + (int)drop + 1075;

	if (rest == half)
		return false;
	if (kept >> 53) {
		kept >>= 1;
		biased++;
	}
	if (biased <= 0 || biased >= 0x7FF)
		return false;

	uint64_t bits = (kept & ((1ull << 52) - 1)) | (uint64_t)biased << 52;

	memcpy(ret_v, &bits, sizeof(bits));
	return true;
}

static bool scale_wide(uint64_t digits, int64_t exp10, double *ret_v)
{
	if (digits == 0 || exp10 < POW10_MIN) {
		*ret_v = 0;
		return true;
	}
	if (exp10 > 308) {
		*ret_v = INFINITY;
		return true;
	}
	int shift = __builtin_clzll(digits);
	int q = (int)exp10;

	return round_product(pow10_mul(pow10_get(q), digits << shift), pow10_log2(q) - 63 - shift,
			     ret_v);
}

/*
 * Digits and an exponent only, so that the locale's decimal point does not matter. What is beyond
 * the digits that can matter becomes a last one that says "a little more".
 */
static double scale_slowly(const struct scan *s)
{
	char text[SLOW_DIGITS + 32];
	struct leftover left;
	unsigned n = significant_digits(s->mantissa, text, SLOW_DIGITS, &left);
	int64_t exp10 = s->exponent - s->fraction_digits + left.digits;

	if (left.matters) {
		text[n++] = '1';
		exp10--;
	}
	snprintf(text + n, sizeof(text) - n, "e%lld", (long long)exp10);
	return strtod(text, NULL);
}

static double to_double(const struct scan *s)
{
	double v, above;

	if (!s->cut) {
		if (scale_exact(s->digits, s->exp10, &v) || scale_wide(s->digits, s->exp10, &v))
			return v;
	} else if (scale_wide(s->digits, s->exp10, &v) &&
		   scale_wide(s->digits + 1, s->exp10, &above) && v == above) {
		return v;
	}
	return scale_slowly(s);
}

static bool parse_word(struct str s, bool has_sign, double *ret_v)
{
	if (str_eq_nocase(s, STR("inf")) || str_eq_nocase(s, STR("infinity")))
		*ret_v = INFINITY;
	else if (!has_sign && str_eq_nocase(s, STR("nan")))
		*ret_v = NAN;
	else
		return false;
	return true;
}

static bool parse_magnitude(struct str s, bool has_sign, double *ret_v)
{
	struct scan scan;
	double v;

	if (s.n == 0)
		return false;
	if (!is_digit(s.p[0]) && s.p[0] != '.')
		return parse_word(s, has_sign, ret_v);
	if (!scan_decimal(s.p, s.p + s.n, &scan))
		return false;
	v = to_double(&scan);
	if (isinf(v))
		return false;
	*ret_v = v;
	return true;
}

static bool take_sign(struct str *s, bool *ret_negative)
{
	bool negative = s->n > 0 && s->p[0] == '-';
	bool has_sign = negative || (s->n > 0 && s->p[0] == '+');

	if (has_sign)
		*s = (struct str){ s->p + 1, s->n - 1 };
	*ret_negative = negative;
	return has_sign;
}

/* Digits with or without a point, few enough to be exact: nearly all values. */
static bool parse_short(struct str s, double *ret_v)
{
	const char *point = NULL;
	uint64_t digits = 0;

	if (s.n == 0 || s.n > MAX_SHORT)
		return false;
	for (const char *p = s.p; p < s.p + s.n; p++) {
		if (is_digit(*p))
			digits = digits * 10 + (uint64_t)(*p - '0');
		else if (*p == '.' && !point && s.n > 1)
			point = p;
		else
			return false;
	}
	return scale_exact(digits, point ? point + 1 - (s.p + s.n) : 0, ret_v);
}

bool num_parse(struct str s, double *ret_v)
{
	bool negative;
	bool has_sign = take_sign(&s, &negative);
	double v;

	if (!parse_short(s, &v) && !parse_magnitude(s, has_sign, &v))
		return false;
	*ret_v = negative ? -v : v;
	return true;
}

bool num_parse_i64(struct str s, int64_t *ret_v)
{
	bool negative;
	int64_t v = 0;

	take_sign(&s, &negative);
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int64_t digit = s.p[i] - '0';

		/* Downwards from 0, because that side reaches further. */
		if (!is_digit(s.p[i]) || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, digit, &v))
			return false;
	}
	if (!negative && __builtin_mul_overflow(v, -1, &v))
		return false;
	*ret_v = v;
	return true;
}
