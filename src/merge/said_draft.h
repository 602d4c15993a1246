/*
 * The families of a push to a summed group while said_make() checks them (private to src/merge):
 * which of them are dropped, and which only hold creation times of another family.
 */
#ifndef MERGE_SAID_DRAFT_H
#define MERGE_SAID_DRAFT_H

#include "merge/said.h"

struct draft {
	const struct family *family;
	enum merge_policy policy;
	bool is_created; /* its values are creation times of another family */
};

/* Makes the drafts, sorted by name, in the arena. -1: the same errors as said_make(). */
int draft_families(struct family *families, said_policy_fn policy, void *arg, struct arena *a,
		   struct draft **ret, uint32_t *ret_n, struct err *err);
/* Checks the counts of a metric of a family that is kept. -1: ERR_INVALID. */
int draft_check(const struct draft *d, const struct metric *m, struct err *err);
bool draft_is_kept(const struct draft *d);

/* Counters, gauges and untyped metrics. */
bool draft_is_single(int32_t type);
double draft_single_value(const struct family *f, const struct metric *m);

/* "x_created" -> "x"; false: it is something else. */
bool draft_created_base(const struct family *f, struct str *ret);
/* The family whose creation times "base_created" holds, or NULL. */
const struct draft *draft_find_partner(const struct draft *drafts, uint32_t n, struct str base,
				       struct arena *a);

#endif
