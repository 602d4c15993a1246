/*
 * 64-bit hashes of names, keys and series: xxHash XXH3 with a seed drawn at start, so that nobody
 * can prepare collisions. Never stored and never sent. Equal hashes are compared, not trusted.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/str.h"

/* Draws the seed; before any other thread runs. Without it the seed is 0 (unit tests). */
void hash_init(void);
uint64_t hash_bytes(struct str s);

#endif
