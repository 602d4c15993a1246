/* Numbers as bytes with the lowest first, as rows of the log, cursors and compressed formats have
 * them. */
#ifndef BASE_LE_H
#define BASE_LE_H

#include <stdint.h>

/* Up to 8 bytes; returns where they end. */
static inline char *le_put(char *to, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*to++ = (char)(v >> 8 * i);
	return to;
}

static inline uint64_t le_take(const char *from, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)from[i] << 8 * i;
	return v;
}

#endif
