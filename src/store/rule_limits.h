/*
 * The limits that rules of --config.file set (struct rule_limits): on series and families of each
 * group, and on values of one label in all groups of a rule together. The labels of a group's key
 * count even while it has no series. le and quantile do not count.
 *
 * The committer only. A group is met when a batch first touches it, or when store_count_labels()
 * comes to it: then its rule is found and its labels are counted. From then on the counts follow
 * the index of series. Until all groups have been met, which after a reload takes some batches, a
 * label may get more values than its limit.
 */
#ifndef STORE_RULE_LIMITS_H
#define STORE_RULE_LIMITS_H

#include "base/err.h"
#include "pages/group.h"

struct store;
struct entry;
struct rule_limit_state;

void limits_free(struct rule_limit_state *l); /* NULL is fine */

/* Whether any rule has limits. */
bool limits_any(const struct store *s);

/* Call before anything of the group is staged. */
void limits_meet(struct store *s, const struct group *g);
/* Call when the group ends, before its slot is reused. */
void limits_forget(struct store *s, const struct group *g);

/* What a group holds before and after a push, and what the push itself has. */
struct amounts {
	uint64_t series, families;
};
struct amounts_of_push {
	struct amounts before, after, pushed;
};

/*
 * -1: the group would hold more than a limit allows, and more than before; *err, ERR_RULE_TOO_LARGE
 * or ERR_RULE_FULL, names limit, rule and group.
 */
int limits_check_amounts(struct store *s, const struct group *g, const struct amounts_of_push *a,
			 struct err *err);
/*
 * The same for label values. limits_begin(): before the index of series is updated for a push;
 * limits_check_labels(): afterwards.
 */
void limits_begin(struct store *s, const struct group *g);
int limits_check_labels(struct store *s, const struct group *g, struct err *err);
/* The same for the key of a group that is about to be made. */
int limits_check_key(struct store *s, const struct group *g, struct err *err);

/* Call whenever the index of series is updated. */
void limits_add_entry(struct store *s, const struct group *g, const struct entry *e);
void limits_remove_entry(struct store *s, const struct group *g, const struct entry *e);
void limits_add_group(struct store *s, const struct group *g);
void limits_remove_group(struct store *s, const struct group *g);

/* Call when a batch is published: shows the counts to other threads. */
void limits_show(struct store *s);
/*
 * For store_take_over(): s keeps its rules. begin: under the lock of the pages; end: afterwards,
 * all is counted anew.
 */
void limits_take_over_begin(struct store *s, struct store *old);
void limits_take_over_end(struct store *s);

#endif
