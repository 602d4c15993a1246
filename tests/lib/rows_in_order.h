/* Applies a log in order, as simply as possible, without a store. */
#ifndef TESTS_LIB_ROWS_IN_ORDER_H
#define TESTS_LIB_ROWS_IN_ORDER_H

#include "lib/mem_storage.h"

/* Appends to `to`, which is empty, the fewest rows with the same result. */
void rows_apply_in_order(const struct row *rows, size_t n, struct mem_storage *to);

#endif
