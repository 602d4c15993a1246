/*
 * A push to a summed or added group, as it goes from the HTTP worker to the committer: a struct
 * push without families, for the group's key without the source, with the numbers in push->said
 * (said.h).
 */
#ifndef MERGE_SUM_PUSH_H
#define MERGE_SUM_PUSH_H

#include "merge/said.h"
#include "push/push.h"

/*
 * Builds it of decoded families (NULL for DELETE), as push_build() does: if a rule is broken,
 * push->err says which one. NULL: the push does not name a usable source, or the arena is full;
 * *err says what to write.
 */
struct push *sum_push_build(struct push_builder *b, enum push_mode mode, const struct key *key,
			    const struct push_options *o, struct family *families, double now,
			    struct err *err);

/*
 * A said_policy_fn: the policy that follows from the family's name and type, and from the rules on
 * gauges. arg: struct push_options.
 */
int sum_push_policy(void *arg, const struct family *f, enum merge_policy *ret, struct err *err);

#endif
