/*
 * Numbers in few bytes: whole ones that are not negative in as many bytes as the largest of them
 * needs, else all of them as doubles. Most of what processes count is small. Little-endian; a
 * number is read back with the bits that it had.
 */
#ifndef MERGE_PACKED_H
#define MERGE_PACKED_H

#include <stddef.h>

/* A width is the bytes of each number: 0 if all numbers are 0, this for doubles. */
enum { PACKED_DOUBLES = 8 };

/* The width for v and for all numbers that `width` is for; begin with 0. */
unsigned packed_width(unsigned width, double v);
void packed_put(char *to, unsigned width, size_t i, double v);
double packed_get(const char *from, unsigned width, size_t i);

#endif
