/*
 * The account of stored bytes (store/stored_bytes.h) against a count of all that the store holds.
 * Metrics of the gateway itself are not counted.
 */
#ifndef TESTS_LIB_STORED_RECOUNT_H
#define TESTS_LIB_STORED_RECOUNT_H

#include "store/store.h"

/* Between two batches; does nothing while a large push is staged. */
void check_stored(const struct store *s);
uint64_t stored_bytes_of(const struct store *s);

#endif
