/* Builds pushes that make a copied group again. One thread. The list owns the pushes. */
#ifndef JOURNAL_GROUP_PUSHES_H
#define JOURNAL_GROUP_PUSHES_H

#include "pages/group_copy.h"
#include "push/push.h"

struct group_pushes {
	/*
	 * Whether such a push would be accepted now; -1: no, and push->err becomes *err. NULL: all
	 * would be.
	 */
	int (*check)(void *arg, const struct key *key, const struct family *families,
		     struct err *err);
	void *check_arg;
	bool hides_others;  /* of the pushes */
	struct err refused; /* the error of `check` for the last push */
	struct push_builder builder;
	struct arena arena; /* for building one */
	struct push **list;
	size_t n, cap;
};

/* lenient: families that only older versions accepted are accepted again. */
void group_pushes_init(struct group_pushes *gp, bool lenient);
void group_pushes_clear(struct group_pushes *gp);
void group_pushes_done(struct group_pushes *gp);

/* Adds a push of some families. NULL: *err says what cannot be read. */
struct push *group_pushes_add(struct group_pushes *gp, struct str key,
			      const struct group_copy_family *const *families, uint32_t n,
			      double at, struct err *err);

/*
 * group_pushes_sort(): the families of the group, in the order of their pushes, in the arena.
 * group_pushes_same_push(): how many of them, from the first on, were pushed together.
 */
const struct group_copy_family **group_pushes_sort(const struct group_copy *g, struct arena *a);
uint32_t group_pushes_same_push(const struct group_copy_family *const *sorted, uint32_t n);

#endif
