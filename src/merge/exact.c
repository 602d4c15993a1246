#include "merge/exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

/*
 * A double is mantissa * 2^(exponent - 1074): the exponent is how many bits its mantissa is shifted
 * up.
 */
enum { MANTISSA_BITS = 52, WORD_BITS = 64 };

static uint64_t *words_of(struct exact *e)
{
	return e->cap ? e->heap : e->in;
}

void exact_done(struct exact *e)
{
	if (e->cap)
		free(e->heap);
	*e = (struct exact){ 0 };
}

/* Word 0 holds the lowest of all bits; those that are not kept are implied by lo and the sign. */
static uint64_t word_at(const struct exact *e, unsigned at)
{
	if (at < e->lo)
		return 0;
	if (at - e->lo < e->n)
		return exact_words(e)[at - e->lo];
	return e->negative ? UINT64_MAX : 0;
}

/* Makes the words from lo to hi, exclusive, be there, and keeps those that are. */
static void cover(struct exact *e, unsigned lo, unsigned hi)
{
	bool some = e->n > 0 || e->negative;
	unsigned first = some && e->lo < lo ? e->lo : lo;
	unsigned end = some && e->lo + e->n > hi ? e->lo + e->n : hi;
	uint64_t all[EXACT_MAX_WORDS];

	if (first == e->lo && end - first == e->n)
		return;
	for (unsigned i = first; i < end; i++)
		all[i - first] = word_at(e, i);
	if (end - first > EXACT_INLINE && end - first > e->cap) {
		if (e->cap)
			free(e->heap);
		e->cap = (uint8_t)(end - first);
		e->heap = mem_alloc(e->cap * sizeof(*e->heap));
	}
	copy_bytes(words_of(e), all, (end - first) * sizeof(*all));
	e->lo = (uint8_t)first;
	e->n = (uint8_t)(end - first);
}

/* Equal sums have equal bytes: words that the sign implies, and zeros at the bottom, are dropped.
 */
static void trim(struct exact *e)
{
	uint64_t *w = words_of(e), rest = e->negative ? UINT64_MAX : 0;
	unsigned bottom = 0;

	while (e->n > 0 && w[e->n - 1] == rest)
		e->n--;
	while (bottom < e->n && w[bottom] == 0)
		bottom++;
	move_bytes(w, w + bottom, (e->n - bottom) * sizeof(*w));
	e->n = (uint8_t)(e->n - bottom);
	e->lo = (uint8_t)(e->n || e->negative ? e->lo + bottom : 0);
	if (e->cap && e->n <= EXACT_INLINE) {
		uint64_t *heap = e->heap;

		e->cap = 0;
		copy_bytes(e->in, heap, e->n * sizeof(*heap));
		free(heap);
	}
}

/* A number as struct exact has it, wherever its words are. */
struct number {
	unsigned lo, n;
	bool negative;
	const uint64_t *words;
};

/* The negative of a number is its complement plus one, in the words that are implied as well. */
static void add_number(struct exact *e, struct number v, bool subtract)
{
	uint64_t flip = subtract ? UINT64_MAX : 0, above = (v.negative ? UINT64_MAX : 0) ^ flip;
	unsigned end = e->lo + e->n > v.lo + v.n ? e->lo + e->n : v.lo + v.n;
	unsigned carry = subtract;
	uint64_t *w;

	/* With one word more than either has, the sum fits. */
	cover(e, v.lo, end < EXACT_MAX_WORDS ? end + 1 : EXACT_MAX_WORDS);
	w = words_of(e);
	for (unsigned i = v.lo - e->lo; i < e->n; i++) {
		unsigned from = i + e->lo - v.lo;
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): v.n are set */
		uint64_t more = from < v.n ? v.words[from] ^ flip : above;
		unsigned __int128 sum = (unsigned __int128)w[i] + carry + more;

		w[i] = (uint64_t)sum;
		carry = (unsigned)(sum >> WORD_BITS);
	}
	e->negative = ((e->negative ? UINT64_MAX : 0) + above + carry) >> (WORD_BITS - 1);
	trim(e);
}

static void add_double(struct exact *e, double v, bool subtract)
{
	uint64_t bits, mantissa, words[2];
	unsigned exponent, shift;

	memcpy(&bits, &v, sizeof(bits));
	exponent = bits >> MANTISSA_BITS & 0x7FF;
	mantissa = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
	if (exponent > 0) {
		mantissa |= UINT64_C(1) << MANTISSA_BITS;
		exponent--;
	}
	if (mantissa == 0)
		return;
	shift = exponent % WORD_BITS;
	words[0] = mantissa << shift;
	words[1] = shift ? mantissa >> (WORD_BITS - shift) : 0;
	add_number(e, (struct number){ exponent / WORD_BITS, words[1] ? 2 : 1, false, words },
		   subtract != (bits >> (WORD_BITS - 1) != 0));
}

void exact_add(struct exact *e, double v)
{
	add_double(e, v, false);
}

void exact_sub(struct exact *e, double v)
{
	add_double(e, v, true);
}

void exact_add_times(struct exact *e, double v, int times)
{
	add_double(e, v, times < 0);
}

static void add_exact(struct exact *e, const struct exact *v, bool subtract)
{
	uint64_t words[EXACT_MAX_WORDS];

	/* v may be e itself, whose words may move: the words are copied first. */
	copy_bytes(words, exact_words(v), v->n * sizeof(*words));
	if (!exact_is_zero(v))
		add_number(e, (struct number){ v->lo, v->n, v->negative, words }, subtract);
}

void exact_add_exact(struct exact *e, const struct exact *v)
{
	add_exact(e, v, false);
}

void exact_sub_exact(struct exact *e, const struct exact *v)
{
	add_exact(e, v, true);
}

/* The words of its absolute value, the highest of which is not 0; returns how many. */
static unsigned magnitude(const struct exact *e, uint64_t out[EXACT_MAX_WORDS + 1])
{
	const uint64_t *w = exact_words(e);
	unsigned carry = 1, n = e->n;

	for (unsigned i = 0; i < n; i++) {
		out[i] = e->negative ? ~w[i] + carry : w[i];
		carry = carry && out[i] == 0;
	}
	if (e->negative && carry)
		out[n++] = 1;
	return n;
}

/* The 64 bits from `bit` upwards; bits below the first word are 0. */
static uint64_t bits_from(const uint64_t *w, unsigned n, int bit)
{
	int at = bit >> 6; /* rounds down */
	unsigned shift = (unsigned)bit & 63;
	uint64_t low = at >= 0 && (unsigned)at < n ? w[at] : 0;
	uint64_t high = at + 1 >= 0 && (unsigned)(at + 1) < n ? w[at + 1] : 0;

	return shift ? low >> shift | high << (WORD_BITS - shift) : low;
}

static bool any_below(const uint64_t *w, unsigned n, unsigned bit)
{
	unsigned whole = bit / WORD_BITS;

	for (unsigned i = 0; i < n && i < whole; i++)
		if (w[i])
			return true;
	return whole < n && bit % WORD_BITS && w[whole] << (WORD_BITS - bit % WORD_BITS);
}

double exact_value(const struct exact *e)
{
	uint64_t w[EXACT_MAX_WORDS + 1], mantissa;
	unsigned n = magnitude(e, w);
	int base = e->lo * WORD_BITS, drop; /* bits that the result has no place for */
	double v;

	if (n == 0)
		return 0;
	drop = (int)n * WORD_BITS - __builtin_clzll(w[n - 1]) - (MANTISSA_BITS + 1);
	/* Subnormal numbers have fewer bits. */
	if (drop < -base)
		drop = -base;
	mantissa = bits_from(w, n, drop);
	if (drop > 0) {
		bool half = w[(drop - 1) / WORD_BITS] >> (drop - 1) % WORD_BITS & 1;

		mantissa += half && (mantissa & 1 || any_below(w, n, (unsigned)drop - 1));
	}
	v = ldexp((double)mantissa, drop + base - 1074);
	return e->negative ? -v : v;
}

bool exact_is_zero(const struct exact *e)
{
	return e->n == 0 && !e->negative;
}

bool exact_equal(const struct exact *a, const struct exact *b)
{
	return a->lo == b->lo && a->n == b->n && a->negative == b->negative &&
	       memcmp(exact_words(a), exact_words(b), a->n * sizeof(uint64_t)) == 0;
}

bool exact_restore(struct exact *e, uint8_t lo, uint8_t n, bool negative, const uint64_t *words)
{
	if (!exact_is_zero(e) || e->cap > 0)
		return false;
	if (n > EXACT_MAX_WORDS || lo > EXACT_MAX_WORDS - n)
		return false;
	if (n > 0 && (words[0] == 0 || words[n - 1] == (negative ? UINT64_MAX : 0)))
		return false;
	if (n == 0 && !negative && lo != 0)
		return false;
	if (n > EXACT_INLINE) {
		e->cap = n;
		e->heap = mem_alloc(n * sizeof(*words));
	}
	e->lo = lo;
	e->n = n;
	e->negative = negative;
	copy_bytes(words_of(e), words, n * sizeof(*words));
	return true;
}
