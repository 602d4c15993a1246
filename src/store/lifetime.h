/*
 * Groups that end by themselves some time after their last successful push, and groups whose next
 * push is expected. When a deadline is over, the committer stages a change, which is committed and
 * published like those of pushes.
 *
 * While the gateway runs, deadlines follow the monotonic clock: a step of the system's time ends no
 * group.
 */
#ifndef STORE_LIFETIME_H
#define STORE_LIFETIME_H

#include "store/change.h"

/*
 * The body of a row ROW_LIFE: ttl, keep_times and expect_every in nanoseconds, each 8 bytes with
 * the lowest first, and a byte of flags. If the group has expired, the time of the row is when that
 * was.
 */
struct str life_encode(const struct life *l, char to[LIFE_BODY]);
/* Reads such a body; at: time of the row. False: these bytes are no such body. */
bool life_decode(struct str body, double at, struct life *ret);

/* Before a push is staged: if the group's deadline is over, the group expires first. */
void lifetime_check(struct store *s, struct group *g, double now);
/* After a push was staged: takes over the lifetime that it gives the group. */
void lifetime_pushed(struct store *s, struct group *g, const struct push *push);
/*
 * For rows of other gateways (apply.h), of a group whose change was begun; at_ns: monotonic, when
 * the row was written. lifetime_apply_push(): for a record. lifetime_apply(): for a ROW_LIFE; true:
 * the values of the group are gone.
 */
void lifetime_apply_push(struct group *g, int64_t at_ns);
bool lifetime_apply(struct group *g, const struct life *life, int64_t at_ns);
/* After all rows have been read: a group that has values, also left-out ones, has not expired. */
void lifetime_restored(struct store *s, struct group *g);
/* Call when the batch is published, under the lock of the pages, or when it was rolled back. */
void lifetime_publish(struct store *s, struct group *g);
void lifetime_rolled_back(struct store *s, struct group *g);

/*
 * Call when store s has taken the place of `old`: deadlines of the same groups stay. now: Unix
 * seconds, by the clock of the times of rows. Under the lock of the pages.
 */
void lifetimes_go_on(struct store *s, const struct store *old, double now);

#endif
