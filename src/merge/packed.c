#include "merge/packed.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

unsigned packed_width(unsigned width, double v)
{
	/* -0 differs from 0 by its sign, for which whole numbers have no room. */
	if (!(v >= 0) || signbit(v) || v >= 0x1p56 || v != floor(v))
		return PACKED_DOUBLES;
	while (width < PACKED_DOUBLES && (uint64_t)v >> 8 * width)
		width++;
	return width;
}

void packed_put(char *to, unsigned width, size_t i, double v)
{
	uint64_t bits;

	if (width == PACKED_DOUBLES)
		memcpy(&bits, &v, sizeof(bits));
	else
		bits = (uint64_t)v;
	for (unsigned k = 0; k < width; k++)
		to[i * width + k] = (char)(bits >> 8 * k);
}

double packed_get(const char *from, unsigned width, size_t i)
{
	uint64_t bits = 0;
	double v;

	for (unsigned k = width; k > 0; k--)
		bits = bits << 8 | (unsigned char)from[i * width + k - 1];
	if (width != PACKED_DOUBLES)
		return (double)bits;
	memcpy(&v, &bits, sizeof(v));
	return v;
}
