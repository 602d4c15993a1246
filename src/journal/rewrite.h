/*
 * Writes a store into a new database, from memory alone, if the old database cannot be trusted or
 * is gone.
 */
#ifndef JOURNAL_REWRITE_H
#define JOURNAL_REWRITE_H

#include "journal/storage.h"
#include "store/store.h"

/*
 * The thread that may change the store, between two batches. `to` is empty. The database then has
 * the store's groups, families and times, and what it leaves out, but other numbers of groups and
 * rows, so the store cannot go on with it: load it, and put the loaded store in its place
 * (store_take_over()). -1: *err says why the database is not complete.
 */
int rewrite_store(struct store *s, struct storage *to, struct err *err);

#endif
