/*
 * Another gateway on the same log: a store to which the rows are applied that a writer has added.
 */
#ifndef TESTS_LIB_ROW_FOLLOWER_H
#define TESTS_LIB_ROW_FOLLOWER_H

#include "journal/apply.h"
#include "lib/mem_storage.h"

struct row_follower {
	struct store *store; /* owned */
	struct applier *applier;
	unsigned n_applied, n_loaded; /* how often it has applied rows, and was loaded anew */
};

/* Owns the store, which is empty. */
void row_follower_init(struct row_follower *f, struct store *s);
void row_follower_done(struct row_follower *f);
/* Loads the log into that store, which is empty, in place of its own. */
void row_follower_load(struct row_follower *f, struct mem_storage *rows, struct store *s);
/*
 * Applies the rows behind the newest one that it knows, at that time. False: rows are missing, or
 * the log begins anew, so it has to be loaded.
 */
bool row_follower_apply(struct row_follower *f, const struct mem_storage *rows, double now);
/* The same, but a removal of many groups stays pending (store/removal.h). */
bool row_follower_take(struct row_follower *f, const struct mem_storage *rows, double now);
/* Takes that store, which has the same rows, and gives up its own to the caller. */
void row_follower_swap(struct row_follower *f, struct store *s);
/* Appends state of a store that is not exposed: sources of summed groups, and live rows. */
void store_state_add(const struct store *s, struct strbuf *out);

#endif
