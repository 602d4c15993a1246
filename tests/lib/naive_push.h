/*
 * Random pushes for the naive store's few groups and names, and the same pushes for the real store.
 */
#ifndef TESTS_LIB_NAIVE_PUSH_H
#define TESTS_LIB_NAIVE_PUSH_H

#include "lib/naive_store.h"

void naive_random_push(uint64_t *rng, double now, struct naive_push *ret);
/* The families of a push, as a decoder makes them. The caller frees them. */
struct naive_families *naive_families(const struct naive_push *p);
struct family *naive_first_family(struct naive_families *d); /* NULL: the push has none */
/* The push is the caller's. */
struct push *naive_real_push(const struct naive_push *p);

#endif
