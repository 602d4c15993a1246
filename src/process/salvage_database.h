/* Replaces a damaged database at start by a new one with the rows that can be read of it. */
#ifndef PROCESS_SALVAGE_DATABASE_H
#define PROCESS_SALVAGE_DATABASE_H

#include "base/err.h"
#include "store/store.h"

/*
 * This process does not have it open; if another one does, that is an error. why: what is wrong
 * with it, for the log, which also gets what was saved and what was lost. Afterwards there is a
 * sound database at path, or none, and the damaged one is kept under another name. *ret_groups: how
 * many groups were saved. -1: *err says why it could not be done.
 */
int salvage_database(const char *path, const struct err *why, uint64_t *ret_groups,
		     struct err *err);

#endif
