/* Writes a store into a new database, from memory alone, when the old database cannot be trusted or
 * is gone.
 */
#ifndef JOURNAL_REWRITE_H
#define JOURNAL_REWRITE_H

#include "journal/storage.h"
#include "store/store.h"

/*
 * The thread that may change the store, between two batches. `to` holds nothing. The database then
 * has the store's groups, families and times, but other numbers of groups and rows. So the store
 * cannot continue with it: load it, and put what was loaded in the store's place
 * (store_take_over()). -1: *err says why the database is not complete.
 */
int rewrite_store(struct store *s, struct storage *to, struct err *err);

#endif
