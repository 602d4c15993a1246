/*
 * Shortest decimals, by Raffaello Giulietti's Schubfach ("The Schubfach way to render doubles",
 * 2020): of all decimals that read back as v, the closest one to v among the shortest. Three
 * products with a 128-bit power of ten, no loop, no big integer.
 */
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/num.h"
#include "base/num_pow10.h"

enum { FRACTION_BITS = 52, EXPONENT_MASK = 0x7FF, EXPONENT_BIAS = 1075 };

#define HIDDEN_BIT (1ull << FRACTION_BITS)

/* digits * 10^exp10 */
struct decimal {
	uint64_t digits;
	int exp10;
};

/* floor(log10(2^e)) and floor(log10(3/4 * 2^e)), exact for |e| <= 1500. */
static int floor_log10_pow2(int e)
{
	return (e * 1262611) >> 22;
}

static int floor_log10_three_quarters_pow2(int e)
{
	return (e * 1262611 - 524031) >> 22;
}

/*
 * c * 10^q in units in which the integer part is what we compare with, "rounded to odd": the
 * lowest bit also tells that there was a fraction, so a bound that is met exactly stays exact. The
 * table rounds up, which adds less than 2 to the fraction of an exact product; no other product has
 * so small a fraction (the paper proves it for 126 bits already).
 */
static uint64_t scale_to_odd(const struct pow10 *g, uint64_t c)
{
	unsigned __int128 y = pow10_mul(g, c);

	return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/*
 * The decimal for c * 2^e. All of low, mid and high are four times the value in units of 10^k, so
 * that the bounds, half a step of c away (a quarter below a power of two), are integers times 2^e.
 */
static struct decimal shortest(uint64_t c, int e, bool narrow_below)
{
	int k = narrow_below ? floor_log10_three_quarters_pow2(e) : floor_log10_pow2(e);
	int shift = e + pow10_log2(-k) + 1;
	const struct pow10 *g = pow10_get(-k);
	uint64_t exclusive = c & 1; /* a tie is read as the even neighbour */
	uint64_t low = scale_to_odd(g, (4 * c - 2 + narrow_below) << shift) + exclusive;
	uint64_t mid = scale_to_odd(g, (4 * c) << shift);
	uint64_t high = scale_to_odd(g, (4 * c + 2) << shift) - exclusive;
	uint64_t s = mid / 4;
	uint64_t tens = s / 10;
	bool down_fits = low <= 40 * tens;
	bool up_fits = 40 * tens + 40 <= high;

	if (down_fits != up_fits && tens > 0)
		return (struct decimal){ tens + up_fits, k + 1 };
	down_fits = low <= 4 * s;
	up_fits = 4 * s + 4 <= high;
	if (down_fits != up_fits)
		return (struct decimal){ s + up_fits, k };
	return (struct decimal){ s + (mid + (s & 1) > 4 * s + 2), k };
}

/* Not for 0 and not for numbers without end. */
static struct decimal to_decimal(uint64_t bits)
{
	uint64_t fraction = bits & (HIDDEN_BIT - 1);
	int exponent = (int)(bits >> FRACTION_BITS) & EXPONENT_MASK;

	if (exponent == 0)
		return shortest(fraction, 1 - EXPONENT_BIAS, false);
	return shortest(fraction | HIDDEN_BIT, exponent - EXPONENT_BIAS,
			fraction == 0 && exponent > 1);
}

static void strip_zeros(struct decimal *d)
{
	static const struct {
		uint64_t divisor;
		int zeros;
	} steps[] = { { 10000, 4 }, { 100, 2 }, { 10, 1 } };

	while (d->digits % 100000000 == 0) {
		d->digits /= 100000000;
		d->exp10 += 8;
	}
	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		if (d->digits % steps[i].divisor == 0) {
			d->digits /= steps[i].divisor;
			d->exp10 += steps[i].zeros;
		}
	}
}

/* [0] is 0, because 0 has one digit, too. */
static const uint64_t first_with_more_digits[20] = {
	0,
	10,
	100,
	1000,
	10000,
	100000,
	1000000,
	10000000,
	100000000,
	1000000000,
	10000000000,
	100000000000,
	1000000000000,
	10000000000000,
	100000000000000,
	1000000000000000,
	10000000000000000,
	100000000000000000,
	1000000000000000000,
	10000000000000000000u,
};

static unsigned count_digits(uint64_t n)
{
	/* 1233 / 4096 is a little over log10(2). */
	unsigned guess = (unsigned)(64 - __builtin_clzll(n | 1)) * 1233 >> 12;

	return guess + (n >= first_with_more_digits[guess]);
}

static void put_pair(char *to, unsigned n)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";

	memcpy(to, &pairs[2 * (size_t)n], 2);
}

static void put_eight(char *to, uint32_t n)
{
	uint32_t high = n / 10000;
	uint32_t low = n % 10000;

	put_pair(to, high / 100);
	put_pair(to + 2, high % 100);
	put_pair(to + 4, low / 100);
	put_pair(to + 6, low % 100);
}

/* Exactly len digits, which n must have. */
static void put_digits(char *to, uint64_t n, unsigned len)
{
	char *at = to + len;

	for (; n >= 100000000; n /= 100000000)
		put_eight(at -= 8, (uint32_t)(n % 100000000));

	uint32_t rest = (uint32_t)n;

	for (; rest >= 100; rest /= 100)
		put_pair(at -= 2, rest % 100);
	if (rest >= 10)
		put_pair(at - 2, rest);
	else
		at[-1] = (char)('0' + rest);
}

static char *put_exponent(char *to, int exponent)
{
	unsigned n = (unsigned)abs(exponent);

	*to++ = 'e';
	*to++ = exponent < 0 ? '-' : '+';
	if (n >= 100) {
		*to++ = (char)('0' + n / 100);
		n %= 100;
	}
	put_pair(to, n);
	return to + 2;
}

/* d.ddde+XX */
static char *put_scientific(char *to, struct decimal d, unsigned len)
{
	put_digits(to + 1, d.digits, len);
	to[0] = to[1];
	if (len > 1)
		to[1] = '.';
	return put_exponent(to + (len > 1 ? len + 1 : 1), d.exp10 + (int)len - 1);
}

static char *put_below_one(char *to, struct decimal d, unsigned len)
{
	unsigned zeros = (unsigned)-d.exp10 - len;

	memcpy(to, "0.000", 5);
	put_digits(to + 2 + zeros, d.digits, len);
	return to + 2 + zeros + len;
}

static char *put_plain(char *to, struct decimal d, unsigned len)
{
	if (d.exp10 >= 0) {
		put_digits(to, d.digits, len);
		memcpy(to + len, "00000", 5);
		return to + len + d.exp10;
	}
	unsigned whole = len - (unsigned)-d.exp10;

	put_digits(to + 1, d.digits, len);
	move_bytes(to, to + 1, whole);
	to[whole] = '.';
	return to + len + 1;
}

static char *put_decimal(char *to, struct decimal d)
{
	unsigned len = count_digits(d.digits);
	int exponent = d.exp10 + (int)len - 1;

	if (exponent < -4 || exponent > 5)
		return put_scientific(to, d, len);
	if (exponent < 0)
		return put_below_one(to, d, len);
	return put_plain(to, d, len);
}

/* Counters, and most other values: no shorter decimal is within half a unit of an integer. */
static bool to_integer(double magnitude, struct decimal *ret_d)
{
	if (!(magnitude < 9007199254740992.0) || (double)(uint64_t)magnitude != magnitude)
		return false;
	*ret_d = (struct decimal){ (uint64_t)magnitude, 0 };
	return true;
}

/*
 * Up to six decimals, and 15 digits in all: no other decimal of so few digits reads back as the
 * same double, so none is shorter.
 */
static bool to_millionths(double magnitude, struct decimal *ret_d)
{
	uint64_t n;

	if (!(magnitude < 1e9))
		return false;
	n = (uint64_t)(magnitude * 1e6 + 0.5);
	if ((double)n / 1e6 != magnitude)
		return false;
	*ret_d = (struct decimal){ n, -6 };
	return true;
}

static unsigned put_word(char *to, const char *word, unsigned len)
{
	copy_bytes(to, word, len);
	return len;
}

unsigned num_format_signed_zero(double v, char out[NUM_MAX])
{
	struct decimal d;
	uint64_t bits;
	char *at = out;

	if (isnan(v))
		return put_word(out, "NaN", 3);
	if (isinf(v))
		return put_word(out, v < 0 ? "-Inf" : "+Inf", 4);
	if (signbit(v))
		*at++ = '-';
	v = fabs(v);
	if (!to_integer(v, &d)) {
		if (!to_millionths(v, &d)) {
			memcpy(&bits, &v, sizeof(bits));
			d = to_decimal(bits);
		}
		strip_zeros(&d);
	} else if (d.digits >= 1000000) {
		strip_zeros(&d);
	}
	return (unsigned)(put_decimal(at, d) - out);
}

unsigned num_format(double v, char out[NUM_MAX])
{
	/* -0.0 + 0.0 is 0.0 */
	return num_format_signed_zero(v + 0.0, out);
}
