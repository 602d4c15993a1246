/* Start-up: loads the database into an empty store. */
#ifndef JOURNAL_LOAD_H
#define JOURNAL_LOAD_H

#include "journal/storage.h"
#include "store/store.h"

/*
 * Before any other thread runs. If the result is not STORAGE_LOADED, the store must not be used any
 * more.
 */
enum storage_load_result load_store(struct storage *st, struct store *store, struct err *err);

#endif
