/*
 * Groups that end by themselves some time after their last successful push, and those whose next
 * push is awaited. The committer asks which deadlines are over and stages what follows as changes,
 * like those of pushes: they are committed and published in the same way.
 *
 * While the gateway runs, deadlines follow the monotonic clock: a step of the system's time ends no
 * group.
 */
#ifndef STORE_LIFETIME_H
#define STORE_LIFETIME_H

#include "store/change.h"

/* The body of its row: ttl, keep_times and expect_every in nanoseconds, each 8 bytes with the
 * lowest first, and a byte of flags. The row's time is when the values went. */
struct str life_encode(const struct life *l, char to[LIFE_BODY]);
/* False: these bytes are not what we wrote. at: of the row. */
bool life_decode(struct str body, double at, struct life *ret);

/* Before a push is staged: if the group's deadline is over, the group expires first. */
void lifetime_check(struct store *s, struct group *g, double now);
/* After a push was staged: takes over what it says of the group's lifetime. */
void lifetime_pushed(struct store *s, struct group *g, const struct push *push);
/*
 * Rows of others (apply.h), for a group that a change was begun of; at_ns: monotonic, when they
 * were written. A push, unless a row of its lifetime says more. Such a row; true: the values that
 * the group had are gone.
 */
void lifetime_apply_push(struct group *g, int64_t at_ns);
bool lifetime_apply(struct group *g, const struct life *life, int64_t at_ns);
/* The batch is published, under the lock of the pages; or it was rolled back. */
void lifetime_publish(struct store *s, struct group *g);
void lifetime_rolled_back(struct store *s, struct group *g);

/*
 * Another store has taken the place of `old`: its groups' deadlines stay. now: Unix seconds, by the
 * clock that the rows have their times of. Under the lock.
 */
void lifetimes_go_on(struct store *s, const struct store *old, double now);

#endif
