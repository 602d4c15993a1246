/* Random pushes of the naive store's few groups and names, and the same as the real store has them.
 */
#ifndef TESTS_LIB_NAIVE_PUSH_H
#define TESTS_LIB_NAIVE_PUSH_H

#include "lib/naive_store.h"

void naive_random_push(uint64_t *rng, double now, struct naive_push *ret);
/* Its families, as a decoder makes them. To be freed. */
struct naive_families *naive_families(const struct naive_push *p);
struct family *naive_first_family(struct naive_families *d); /* NULL: it has none */
/* The push is the caller's. */
struct push *naive_real_push(const struct naive_push *p);

#endif
