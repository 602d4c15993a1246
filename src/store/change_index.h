/*
 * The index of series follows a change (change.h), pair by pair, or goes back. What has the same
 * series before and after is not looked up. Private to src/store; the committer's thread.
 */
#ifndef STORE_CHANGE_INDEX_H
#define STORE_CHANGE_INDEX_H

#include "store/change.h"

/* Does the entry that comes have the series of the one that goes? */
bool change_is_same(const struct store *s, const struct change_pair *p);

/*
 * Brings the index of series up to date with the change. -1: it contradicts another group or a
 * limit, and the index is as it was.
 */
int change_follow(struct store *s, const struct change *c, struct err *err);

/* -1: the batch has more series than --limits.series, and than `before`. */
int store_check_series_limit(const struct store *s, uint64_t before, struct err *err);

/* The index follows the i-th pair of the change that a large push makes to the group, or goes back.
 */
void large_index_out(struct store *s, struct group *g, uint32_t i);
void large_unindex_out(struct store *s, struct group *g, uint32_t i);
int large_index_in(struct store *s, struct group *g, uint32_t i, struct err *err);
void large_unindex_in(struct store *s, struct group *g, uint32_t i);

#endif
