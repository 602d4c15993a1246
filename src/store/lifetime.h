/*
 * Groups that end by themselves some time after their last successful push, and those whose next
 * push is awaited. Nothing happens but by the committer: it asks what is due, stages that as
 * changes like any other, and so a database and those who scrape see it as one.
 *
 * While the gateway runs deadlines follow the monotonic clock: setting the time ends nothing.
 */
#ifndef STORE_LIFETIME_H
#define STORE_LIFETIME_H

#include "store/change.h"

/* The body of its row: ttl, keep_times and expect_every in nanoseconds, each 8 bytes with the
 * lowest first, and a byte of flags. When the values have gone is when the row was made. */
struct str life_encode(const struct life *l, char to[LIFE_BODY]);
/* False: these bytes are not what we wrote. at: of the row. */
bool life_decode(struct str body, double at, struct life *ret);

/* Before a push is staged: from its deadline on it finds no group. */
void lifetime_check(struct store *s, struct group *g, double now);
/* After the push was staged: what it says, or leaves as it was. */
void lifetime_pushed(struct store *s, struct group *g, const struct push *push);
/* The batch is published, under the lock of the pages; or it came to nothing. */
void lifetime_publish(struct store *s, struct group *g);
void lifetime_rolled_back(struct store *s, struct group *g);

/* Another store has taken the place of `old`: its groups' deadlines stay. Under the lock. */
void lifetimes_go_on(struct store *s, const struct store *old);

#endif
