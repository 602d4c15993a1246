/*
 * Updates the index of series for a change (change.h), pair by pair, or takes that back. Entries
 * with the same series before and after are not looked up. Private to src/store; the committer's
 * thread.
 */
#ifndef STORE_CHANGE_INDEX_H
#define STORE_CHANGE_INDEX_H

#include "store/change.h"

/* Whether the entry that comes has the series of the one that goes. */
bool change_is_same(const struct store *s, const struct change_pair *p);

/*
 * Brings the index of series up to date with the change. -1: the change contradicts another group
 * or a limit; the index is as it was.
 */
int change_follow(struct store *s, const struct change *c, struct err *err);

/* -1: with the batch the store has more series than --limits.series and than `before`. */
int store_check_series_limit(const struct store *s, uint64_t before, struct err *err);

/* Updates the index for the i-th pair of the change of a large push, or takes that back. */
void large_index_out(struct store *s, struct group *g, uint32_t i);
void large_unindex_out(struct store *s, struct group *g, uint32_t i);
int large_index_in(struct store *s, struct group *g, uint32_t i, struct err *err);
void large_unindex_in(struct store *s, struct group *g, uint32_t i);

#endif
