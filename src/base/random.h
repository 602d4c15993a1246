/*
 * Random numbers from the kernel. Any thread. Nothing else asks for them, so that tests can say
 * what they are (tests/lint/seams.py); SQLite and OpenSSL have sources of their own.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

uint64_t random_number(void);

/* For tests that have no other thread: from now on the numbers follow from the seed. */
void random_hold(uint64_t seed);

#endif
