/*
 * Groups as they were before a removal (store/undo.h), out of the log. Their rows are read once,
 * from the newest to the oldest that may be one of theirs, and kept in memory; then the groups are
 * loaded, some at a time, by what loads a database at start (load.h). They are read in steps, if
 * nobody else writes to the log: rows must not be moved from the first step to the last
 * (store_undo_reading()). One thread.
 */
#ifndef JOURNAL_OLD_GROUPS_H
#define JOURNAL_OLD_GROUPS_H

#include "journal/storage.h"
#include "store/store.h"

struct old_groups;

/* n groups of the removal, from `first` on. Borrows both. */
struct old_groups *old_groups_new(struct storage *st, const struct undoable *u, size_t first,
				  size_t n);
void old_groups_free(struct old_groups *o); /* NULL is fine */

/* 1: call again; 0: all is read; -1: *err. */
int old_groups_read(struct old_groups *o, struct err *err);

/* Then: the key of each group; *at is 0 at first; empty: there are no more. */
struct str old_groups_key(const struct old_groups *o, size_t *at);

/*
 * Some of them, into a store that has none of them. 1: loaded; 0: there are no more; -1: *err.
 * Afterwards nothing waits for a deadline in there before store_begin_waiting().
 */
int old_groups_load(struct old_groups *o, struct store *into, struct err *err);

#endif
