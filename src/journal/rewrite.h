/*
 * A store written into a database once more, from memory alone: where the database that it came
 * from cannot be trusted, or is not there any more.
 */
#ifndef JOURNAL_REWRITE_H
#define JOURNAL_REWRITE_H

#include "journal/storage.h"
#include "store/store.h"

/*
 * The thread that may change the store, between two batches. `to` holds nothing. Groups, families
 * and times are as in the store; numbers of groups and rows are others, so the store cannot go on
 * with it: load it, and put what was loaded in the store's place (store_take_over()). -1: *err says
 * why not all of it is there.
 */
int rewrite_store(struct store *s, struct storage *to, struct err *err);

/* Both show the same groups, families and times; on false *err says how they differ. */
bool rewrite_same(struct store *a, struct store *b, struct err *err);

#endif
