/* The log applied in order, as plainly as can be: what rows mean, without a store. */
#ifndef TESTS_LIB_ROWS_IN_ORDER_H
#define TESTS_LIB_ROWS_IN_ORDER_H

#include "lib/mem_storage.h"

/* Appends to `to`, which is empty, the fewest rows that say what all of these come to. */
void rows_apply_in_order(const struct row *rows, size_t n, struct mem_storage *to);

#endif
