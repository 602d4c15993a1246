/* The exposition of a store, for comparing. */
#ifndef TESTS_LIB_EXPOSED_H
#define TESTS_LIB_EXPOSED_H

#include "store/store.h"

/* A snapshot without slots. The caller frees it. */
struct snapshot *exposed_take(struct store *s);

/*
 * Appends the store's exposition with the sample lines of each family sorted: the order of groups
 * within a family is the store's own affair. Checks on the way that families are sorted by name
 * and that none is without samples.
 */
void exposed_add(struct store *s, struct strbuf *out);

/* The same without the families whose name begins with push_; the caller frees it. */
char *exposed_pushed(struct store *s);

#endif
