/*
 * Deletes many groups, or one family out of many groups, with one row of the log. Which groups
 * these are is decided at once, and once the row is written a start no longer shows them. In memory
 * they go in slices, so that pushes and scrapes do not wait for all of them. To a push a group that
 * is still to go is gone already (store_stage() does that).
 *
 * The committer calls, between two batches: store_removal_decide(), then, if the removal is not a
 * dry run and found something, store_removal_rows(); when these are written store_removal_begin(),
 * otherwise store_removal_drop(). After that store_removal_step() until it says that nothing is
 * left; batches of pushes, and rows of other gateways, may come in between, but no wipe, no other
 * removal, and no check of the database's health.
 */
#ifndef STORE_REMOVAL_H
#define STORE_REMOVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/undo.h"

struct store;
struct row;
struct rows;

struct removal_group {
	uint64_t id;
	uint32_t slot;
	struct str key;
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	bool overdue;
};

struct removal {
	/* 1: the group is wanted, 0: it stays, -1: *err. On the committer's thread. */
	int (*wants)(void *arg, const struct removal_group *g, struct err *err);
	/* Called for each group that goes. */
	void (*goes)(void *arg, const struct removal_group *g);
	/*
	 * Called for each group that is wanted and keeps the family because the group is summed:
	 * its sources would bring the family back. May be NULL.
	 */
	void (*stays)(void *arg, const struct removal_group *g);
	void *arg;
	struct str family; /* empty: whole groups. `wants` is asked only about groups that have the
			      family */
	bool dry_run, has_expect;
	uint64_t expect;
	double now;                /* Unix seconds */
	bool can_undo;             /* it can be undone by this id */
	unsigned char id[UNDO_ID]; /* random */
	uint64_t n;                /* how many go */
};

/*
 * Finds the groups, and calls goes and stays. -1: *err, and nothing is decided. ERR_CONFLICT: the
 * number of groups is not `expect`.
 */
int store_removal_decide(struct store *s, struct removal *r, struct err *err);
/*
 * The rows to write; good until the next call. The second omits the row for the undo, if there was
 * no room for it.
 */
const struct rows *store_removal_rows(struct store *s);
const struct rows *store_removal_rows_without_undo(struct store *s);
void store_removal_begin(struct store *s);
void store_removal_drop(struct store *s);
/* One slice. False: nothing was left. */
bool store_removal_step(struct store *s);
/* All slices. Nothing may be staged. */
void store_removal_finish(struct store *s);
bool store_removal_pending(const struct store *s);

/*
 * Instead of store_removal_decide(), for a row of another gateway that removes many groups or a
 * family out of many: the groups that it names go with store_removal_step(), until nothing is left.
 * Left-out groups (left_out_group.h) go in this call. A large push that is being staged does not
 * notice a removal: it is dropped, and all groups go in this call, since it can only begin again
 * when nothing is pending. -1: the row names a group that is not there; *err.
 */
int store_removal_follow(struct store *s, const struct row *row, struct err *err);
/* Whether the row ends many groups, or takes a family out of many. */
bool removal_is_of_many(const struct row *row);

/*
 * Reads the next id of the body of such a row; *at starts as 0. *ret_family: empty if whole groups
 * end. 1: read, 0: there are no more, -1: this is no such body.
 */
int removal_next_id(struct str body, size_t *at, bool of_family, struct str *ret_family,
		    uint64_t *ret_id);

#endif
