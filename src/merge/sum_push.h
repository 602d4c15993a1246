/*
 * A push to a summed or added group, as it goes from the HTTP worker to the committer: a push
 * without families, for the group that is left of the key, and beside it what was said (said.h).
 */
#ifndef MERGE_SUM_PUSH_H
#define MERGE_SUM_PUSH_H

#include "merge/said.h"
#include "push/push.h"

/*
 * Of decoded families (NULL for DELETE), as push_build() does it: always returns a push, and if a
 * rule is broken push->err says which one. NULL: the push says nothing of its source that can be
 * used, or the arena is full; *err says what to write.
 */
struct push *sum_push_build(struct push_builder *b, enum push_mode mode, const struct key *key,
			    const struct push_options *o, struct family *families, double now,
			    struct err *err);

/*
 * Which policy a family has, said_policy_fn: by its name and type, and what the rules say of
 * gauges. arg: struct push_options.
 */
int sum_push_policy(void *arg, const struct family *f, enum merge_policy *ret, struct err *err);

#endif
