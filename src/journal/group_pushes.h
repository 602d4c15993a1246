/*
 * Pushes that make a copied group again, as if what it has had just been pushed. One thread. The
 * pushes belong to the list.
 */
#ifndef JOURNAL_GROUP_PUSHES_H
#define JOURNAL_GROUP_PUSHES_H

#include "pages/group_copy.h"
#include "push/push.h"

struct group_pushes {
	/* Whether such a push would be taken now; -1: the push has *err. NULL: all would be. */
	int (*check)(void *arg, const struct key *key, const struct family *families,
		     struct err *err);
	void *check_arg;
	struct err refused; /* what it has said of the last push */
	struct push_builder builder;
	struct arena arena; /* for building one */
	struct push **list;
	size_t n, cap;
};

/* lenient: what older versions took is taken again. */
void group_pushes_init(struct group_pushes *gp, bool lenient);
void group_pushes_clear(struct group_pushes *gp);
void group_pushes_done(struct group_pushes *gp);

/* One push of some families. NULL: *err says what cannot be read. */
struct push *group_pushes_add(struct group_pushes *gp, struct str key,
			      const struct group_copy_family *const *families, uint32_t n,
			      double at, struct err *err);

/*
 * The families of the group, sorted by the times of their pushes, in the arena; and how many of
 * them, from the first on, came at the same time.
 */
const struct group_copy_family **group_pushes_sort(const struct group_copy *g, struct arena *a);
uint32_t group_pushes_same_time(const struct group_copy_family *const *sorted, uint32_t n);

#endif
