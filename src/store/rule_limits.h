/*
 * What the rules of --config.file let groups hold (struct rule_limits): series and families of each
 * group, and values of one label in all groups of a rule together. The labels of a group's key
 * count even while it has no series. Bounds of histograms and quantiles are no labels here.
 *
 * The committer. A group is met when a batch first touches it, or when store_count_labels() comes
 * to it: then its rule is found, and its labels are counted, which from then on follow the index of
 * series. Until all groups have been met, which after a reload takes some batches, more values may
 * be let in than the limit says.
 */
#ifndef STORE_RULE_LIMITS_H
#define STORE_RULE_LIMITS_H

#include "base/err.h"
#include "pages/group.h"

struct store;
struct entry;
struct rule_limit_state;

void limits_free(struct rule_limit_state *l); /* NULL is fine */

/* Does any rule have limits? */
bool limits_any(const struct store *s);

/* Nothing of the group is staged yet. */
void limits_meet(struct store *s, const struct group *g);
/* It goes, and its slot will be that of another. */
void limits_forget(struct store *s, const struct group *g);

/* What a group holds, and what the push at hand has by itself. */
struct amounts {
	uint64_t series, families;
};
struct amounts_of_push {
	struct amounts before, after, pushed;
};

/*
 * -1: there is more than a limit allows, and more than before; *err, ERR_RULE_TOO_LARGE or
 * ERR_RULE_FULL, names limit, rule and group.
 */
int limits_check_amounts(struct store *s, const struct group *g, const struct amounts_of_push *a,
			 struct err *err);
/* The same of labels. begin: before the index of series follows a push; check: afterwards. */
void limits_begin(struct store *s, const struct group *g);
int limits_check_labels(struct store *s, const struct group *g, struct err *err);
/* And of the key of a group that is about to be made. */
int limits_check_key(struct store *s, const struct group *g, struct err *err);

/* With the index of series. */
void limits_add_entry(struct store *s, const struct group *g, const struct entry *e);
void limits_remove_entry(struct store *s, const struct group *g, const struct entry *e);
void limits_add_group(struct store *s, const struct group *g);
void limits_remove_group(struct store *s, const struct group *g);

/* A batch is published: others are told. */
void limits_show(struct store *s);
/*
 * Another store is about to take the place of this one: the rules stay. begin: under the lock of
 * the pages; then all is counted anew.
 */
void limits_take_over_begin(struct store *s, struct store *old);
void limits_take_over_end(struct store *s);

#endif
