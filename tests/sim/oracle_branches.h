/*
 * Requests of which it is not known whether they have taken place: the states that a choice of them
 * leads to. Choices that lead to the same state are one, so that there are few states even where
 * there are many such requests.
 */
#ifndef TESTS_SIM_ORACLE_BRANCHES_H
#define TESTS_SIM_ORACLE_BRANCHES_H

#include "sim/oracle.h"

enum { BRANCHES = 512 };

struct oracle_branch {
	struct oracle_state *state;
	uint64_t choice; /* what branch_walk() needs to take the same way */
	uint64_t hash;
};

struct oracle_branches {
	struct oracle_branch *list; /* those where more has taken place come first */
	size_t n, cap;
	bool too_many; /* there were more than BRANCHES */
};

/* The time of a push that was refused so is noted for its group. */
bool branches_is_refused(int status);

/* Requests are in order, and are followed up to `until`, of their order. */
void branches_follow(const struct oracle *o, const struct oracle_state *from, uint64_t until,
		     struct oracle_branches *ret);
void branches_done(struct oracle_branches *b);

typedef void (*branch_visit_fn)(struct oracle *o, const struct oracle_state *s);

/*
 * Visits the states on the way. BRANCH_ALL: all that may have taken place has, whether or not the
 * answers say that it can have.
 */
#define BRANCH_ALL UINT64_MAX
void branch_walk(struct oracle *o, const struct oracle_state *from, uint64_t choice,
		 branch_visit_fn visit);

#endif
