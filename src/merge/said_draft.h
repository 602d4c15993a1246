/*
 * The families of a push to a summed group, checked, before they are what was said (private to
 * src/merge): which of them are dropped, and which only say when another one's series began.
 */
#ifndef MERGE_SAID_DRAFT_H
#define MERGE_SAID_DRAFT_H

#include "merge/said.h"

struct draft {
	const struct family *family;
	enum merge_policy policy;
	bool is_created; /* says when another family's series began */
};

/* By name, in the arena. -1: *err, as of said_make(). */
int draft_families(struct family *families, said_policy_fn policy, void *arg, struct arena *a,
		   struct draft **ret, uint32_t *ret_n, struct err *err);
/* Of a family that is kept: no count of the metric is one that can be none. */
int draft_check(const struct draft *d, const struct metric *m, struct err *err);
bool draft_is_kept(const struct draft *d);

/* Counters, gauges and what is untyped. */
bool draft_is_single(int32_t type);
double draft_single_value(const struct family *f, const struct metric *m);

/* "x_created" -> "x"; false: it is something else. */
bool draft_created_base(const struct family *f, struct str *ret);
/* The family whose series began when those of "base_created" say, or NULL. */
const struct draft *draft_find_partner(const struct draft *drafts, uint32_t n, struct str base,
				       struct arena *a);

#endif
