/*
 * Applies rows that other gateways have written into the log (storage.h: begin, follow) to the
 * store.
 */
#ifndef JOURNAL_APPLY_H
#define JOURNAL_APPLY_H

#include "journal/storage.h"
#include "store/store.h"

struct applier;

/* Borrows the store. The committer's thread. */
struct applier *applier_new(struct store *store);
void applier_free(struct applier *a); /* NULL is fine */

/*
 * A storage_row_fn: rows in order, copied; arg is the applier. -1: the store cannot follow, see
 * store/apply.h.
 */
int applier_row(void *arg, const struct row *row, struct err *err);
/*
 * After the last row of a transaction: publishes all of its rows. now, log_bytes: see
 * store_apply_begin(). failed: not all rows could be read, so none is applied. -1: the store cannot
 * follow.
 */
int applier_end(struct applier *a, double now, uint64_t log_bytes, bool failed, struct err *err);

#endif
