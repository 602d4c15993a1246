/*
 * A large push is staged in steps, between which batches of others are staged and published. Until
 * its last step it is nobody's business but the index's: its series are taken, so that nobody else
 * gets in its way, and nothing of it is shown or written. What the others do meanwhile came before
 * it. It may be refused for that, and then leaves in steps, too.
 *
 * It is not decided before it is committed, so that nobody may be told something for its sake: to
 * whom it may be in the way has to wait for it, as whatever is to its group.
 *
 * The committer calls, between two batches: store_large_begin(); store_large_step() until it says
 * that no step is left; then, unless it is a dry run, store_large_end(), after which the push is
 * the batch at hand, as if store_stage() had staged it: push->err, store_rows() and so on. In
 * between there may be batches, but none that is due (store_stage_due() waits), no wipe, no
 * removal, no undo, no other rules, and nothing that takes the store's place. Rows that others have
 * written may be applied, and end it if they are about the same (store_large_meets(), apply.h):
 * then store_large_push() is NULL, and it can begin again.
 */
#ifndef STORE_LARGE_H
#define STORE_LARGE_H

#include <stdbool.h>
#include <stdint.h>

struct push;
struct row;
struct store;

/* False: none is staged in steps, as rules have limits. */
bool store_large_any(const struct store *s);
/* False: store_stage() has to take it at once, and nothing has begun. */
bool store_large_begin(struct store *s, struct push *push);
/* About so many families. False: no step is left. */
bool store_large_step(struct store *s, uint32_t families);
void store_large_end(struct store *s);
/* Has it leave: after the last step nothing is left of it but its place, for store_large_drop(). */
void store_large_leave(struct store *s);
/*
 * At any time before the end: nothing is left of it, nor of a verdict, and it can begin again.
 * Takes long unless it has left before.
 */
void store_large_drop(struct store *s);
/*
 * For a batch beside it, which is rolled back: stages a push, and says whether that went otherwise
 * than it would without the large push. It is to be asked for again, behind that one.
 */
bool store_large_is_in_the_way(struct store *s, struct push *push);
/* Is a row that somebody else has written about the group of the large push, or may it be? */
bool store_large_meets(const struct store *s, const struct row *row);
/* NULL: there is none. */
const struct push *store_large_push(const struct store *s);

#endif
