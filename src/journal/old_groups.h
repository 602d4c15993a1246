/*
 * Loads groups as they were before a removal (store/undo.h) from the log. Their rows are read once,
 * from the newest row of the log to the oldest that may be theirs, and kept in memory; then the
 * groups are loaded, some at a time, like a database at start (load.h). If no other gateway writes
 * to the log, it is read in steps, between which rows must not be moved (store_undo_reading()). One
 * thread.
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

/* After reading: the key of each group; *at is 0 at first; empty: there are no more. */
struct str old_groups_key(const struct old_groups *o, size_t *at);

/*
 * Loads some of the groups into a store that has none of them. 1: loaded; 0: there are no more; -1:
 * *err. Their deadlines hold only after store_begin_waiting().
 */
int old_groups_load(struct old_groups *o, struct store *into, struct err *err);

#endif
