/*
 * 64-bit hashes of names, keys and series: xxHash XXH3 with a seed drawn at start, so that nobody
 * can prepare collisions. Never stored and never sent. Items whose hashes are equal are compared,
 * not taken for the same. Here are also the checksums of what is stored.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/str.h"

/* Draws the seed; before any other thread runs. Without it the seed is 0 (unit tests). */
void hash_init(void);
uint64_t hash_bytes(struct str s);

/*
 * XXH64 with the seed 0: the same for ever and on every machine, for hashes that other programs
 * rely on.
 */
uint64_t hash_for_ever(struct str s);

/* XXH3-64 of both, one after the other, without a seed: the same for ever, for what is stored. */
uint64_t checksum_bytes(struct str head, struct str body);

#endif
