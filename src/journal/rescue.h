/*
 * What is done when the database cannot be trusted any more while its contents are in memory: it is
 * read back, and written anew if it is not what it has to be.
 */
#ifndef JOURNAL_RESCUE_H
#define JOURNAL_RESCUE_H

#include "journal/storage.h"
#include "store/store.h"

enum rescue_result {
	RESCUE_READ_BACK, /* it holds what is in memory */
	RESCUE_WRITTEN, /* a new one does; *ret_kept is what the old one is called now, if it is */
	RESCUE_FAILED,  /* *err says why; nothing can be committed */
};

/*
 * The thread that commits, between two batches, for a storage that is not well. The store shows the
 * same before and after. *ret_why: what was wrong with the database that has been replaced.
 */
enum rescue_result rescue(struct storage *st, struct store *store, enum storage_health health,
			  struct strbuf *ret_kept, struct err *ret_why, struct err *err);

#endif
