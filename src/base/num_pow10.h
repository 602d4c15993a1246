/*
 * Powers of ten to 128 bits, shared by num_format.c and num_parse.c and by nobody else. The table
 * is made at build time by gen_pow10.py.
 */
#ifndef BASE_NUM_POW10_H
#define BASE_NUM_POW10_H

#include <stdint.h>

enum { POW10_MIN = -342, POW10_MAX = 324 };

/*
 * g = hi * 2^64 + lo has its top bit set, and 10^q is g * 2^(pow10_log2(q) - 127) or less than one
 * unit of lo below it.
 */
struct pow10 {
	uint64_t hi, lo;
};

extern const struct pow10 pow10_table[POW10_MAX - POW10_MIN + 1];

/* POW10_MIN <= q <= POW10_MAX */
static inline const struct pow10 *pow10_get(int q)
{
	return &pow10_table[q - POW10_MIN];
}

/* floor(log2(10^q)); 1741647 is log2(10) * 2^19, good enough for |q| <= 1233. */
static inline int pow10_log2(int q)
{
	return (q * 1741647) >> 19;
}

/*
 * The product of g and c without its lowest 64 bits: (g * c) >> 64.
 */
static inline unsigned __int128 pow10_mul(const struct pow10 *g, uint64_t c)
{
	return (unsigned __int128)g->hi * c + (uint64_t)((unsigned __int128)g->lo * c >> 64);
}

#endif
