/*
 * A large push is staged in steps, between which batches of other pushes are staged and published.
 * Until its last step only the index of series knows of it: its series are taken, so that no other
 * push can take them, but nothing of it is shown or written. Other pushes that are committed
 * meanwhile count as earlier. It may be refused because of them, and is then taken back in steps,
 * too.
 *
 * Since it can still be refused, no other push may be refused because of it: a push that it may be
 * in the way of waits until it is committed, like any push to its group.
 *
 * The committer calls, between two batches: store_large_begin(); store_large_step() until it says
 * that no step is left; then, unless it is a dry run, store_large_end(), after which the push is
 * the batch at hand, as if store_stage() had staged it: push->err, store_rows() and so on. In
 * between there may be batches of pushes, but no deadlines (store_stage_due() waits), no wipe, no
 * removal, no undo, no store_use_rules() and no store_take_over(). Rows that other gateways have
 * written may be applied; if they concern the same group or series (store_large_meets(), apply.h),
 * the large push is dropped: store_large_push() is then NULL, and it can begin again.
 */
#ifndef STORE_LARGE_H
#define STORE_LARGE_H

#include <stdbool.h>
#include <stdint.h>

struct push;
struct row;
struct store;

/* False: no push can be staged in steps, since rules have limits. */
bool store_large_any(const struct store *s);
/* False: nothing has begun, and store_stage() has to take the push at once. */
bool store_large_begin(struct store *s, struct push *push);
/* Goes on for about that many families. False: no step is left. */
bool store_large_step(struct store *s, uint32_t families);
void store_large_end(struct store *s);
/*
 * Makes the further steps take the push back: after the last one only store_large_drop() is left to
 * do.
 */
void store_large_leave(struct store *s);
/*
 * At any time before store_large_end(): forgets the push and any verdict on it, so that it can
 * begin again. Takes long unless store_large_leave() and its steps came before.
 */
void store_large_drop(struct store *s);
/*
 * Stages another push, in a batch that the caller rolls back, and returns whether the large push
 * may have changed the verdict. That push then has to be staged again, after the large one.
 */
bool store_large_is_in_the_way(struct store *s, struct push *push);
/* Whether a row of another gateway concerns the group of the large push, or may do so. */
bool store_large_meets(const struct store *s, const struct row *row);
/* NULL: there is none. */
const struct push *store_large_push(const struct store *s);

#endif
