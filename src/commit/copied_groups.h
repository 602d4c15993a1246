/*
 * The groups that a step of an undo (undo.h) has loaded, and the pushes that bring them back. For a
 * large group it takes as long to copy it, and to build these, as to load it, so each can be a step
 * of its own. The committer's thread only.
 */
#ifndef COMMIT_COPIED_GROUPS_H
#define COMMIT_COPIED_GROUPS_H

#include "journal/group_pushes.h"
#include "store/store.h"

struct copied_group {
	struct group_copy copy;
	const struct group_copy_family **sorted; /* group_pushes_sort() */
	size_t first; /* in pushes.list: the first of its pushes, if they are built */
};

struct copied_groups {
	struct group_pushes pushes;
	struct arena arena;
	struct copied_group *list;
	size_t n, cap;
	struct store *from; /* still to be copied, or built of; NULL: nothing is */
	bool large, whole, copied, built;
};

void copied_groups_init(struct copied_groups *c);
void copied_groups_done(struct copied_groups *c);
void copied_groups_clear(struct copied_groups *c);

/*
 * Begins to copy all groups of a store; whole: pushes of all that plain groups have are wanted.
 * True: there are large groups, and copied_groups_step() is better called later.
 */
bool copied_groups_begin(struct copied_groups *c, struct store *from, bool whole);
bool copied_groups_pending(const struct copied_groups *c);
/* now: Unix seconds, from which deadlines hold. 1: call again; 0: all is copied; -1: *err. */
int copied_groups_step(struct copied_groups *c, double now, struct err *err);
/*
 * The i-th push of a plain group, of n of its families from `at` on: built already, or now. NULL:
 * *err.
 */
struct push *copied_groups_push(struct copied_groups *c, const struct copied_group *g, size_t i,
				uint32_t at, uint32_t n, struct err *err);
/* NULL: the group has none of that name. */
const struct group_copy_family *group_copy_family_of(const struct group_copy *g, struct str name);

#endif
