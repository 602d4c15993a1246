/*
 * Numbers in few bytes: whole ones that are not negative in as many bytes as the largest of them
 * needs, else all of them as doubles. Most of what processes count is small. Little-endian; a
 * number is read back with the bits that it had.
 */
#ifndef MERGE_PACKED_H
#define MERGE_PACKED_H

#include <stddef.h>

/* Bytes of each number; 0: all are 0, and take none. */
enum { PACKED_DOUBLES = 8 };

/* What an array takes that has been given `width` so far, 0 at first, and is to hold v, too. */
unsigned packed_width(unsigned width, double v);
void packed_put(char *to, unsigned width, size_t i, double v);
double packed_get(const char *from, unsigned width, size_t i);

#endif
