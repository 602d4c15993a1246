/*
 * Repairs a database that cannot be trusted any more: reads it back, compares it with the store,
 * and writes it anew from memory if it differs.
 */
#ifndef JOURNAL_RESCUE_H
#define JOURNAL_RESCUE_H

#include "journal/storage.h"
#include "store/store.h"

enum rescue_result {
	RESCUE_READ_BACK, /* the database is the same as the store */
	RESCUE_WRITTEN,   /* a new one was written; the old one, if any, is kept as *ret_kept */
	RESCUE_FAILED,    /* *err says why; nothing can be committed */
};

/* The committer's thread, between two batches, for a storage that is not STORAGE_WELL. What the
 * store shows does not change. *ret_why: what was wrong with a database that was replaced.
 */
enum rescue_result rescue(struct storage *st, struct store *store, enum storage_health health,
			  struct strbuf *ret_kept, struct err *ret_why, struct err *err);

#endif
