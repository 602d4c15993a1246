/*
 * Deletes of many groups, or of one family in many groups, and their undo, as they have to be
 * shown: a delete takes all groups that its selector means, or lists, and an undo brings back of
 * what was taken last what has not been pushed to meanwhile, and agrees with what has.
 */
#ifndef TESTS_SIM_REMOVALS_H
#define TESTS_SIM_REMOVALS_H

#include "lib/naive_store.h"
#include "sim/sums.h"

enum { REMOVAL_ID = 64 };

struct removal_request {
	unsigned groups; /* of the naive store: bits */
	bool sums;       /* the summed group of processes */
	const char *selector;
	int family;  /* the name of it, of the naive store's; 0: the groups themselves */
	bool listed; /* the groups, in a body, in place of a selector */
	long said;   /* how many groups the answer says that it took, or brought back; -1: not known
		      */
	char undo[REMOVAL_ID]; /* an undo: of this id */
};

/* What the last delete took. */
struct removed {
	unsigned groups;
	int family; /* 0: they were taken as a whole */
	struct naive_group before[NAIVE_GROUPS];
	bool has_sums;
	struct sim_sums sums;
};

void removals_random(uint64_t *rng, struct removal_request *ret);
/*
 * Appends a request. dry_run: it has a parameter with which nothing is deleted, whatever the
 * answer.
 */
void removals_add_bytes(uint64_t *rng, const struct removal_request *r, bool dry_run,
			struct strbuf *out);
long removals_read_count(struct str answer, bool undone);
void removals_add_undo(const struct removal_request *r, struct strbuf *out);

/*
 * When an undo was decided: Unix seconds, and monotonic, as is the time before which nothing is
 * over. What comes back counts from its last push, by the wall clock.
 */
struct removal_time {
	double now;
	int64_t now_ns, not_before_ns;
};

/* Returns how many groups it takes, or takes the family from. */
long removals_apply(struct naive_store *s, struct sim_sums *sums, struct removed *removed,
		    const struct removal_request *r);
long removals_undo(struct naive_store *s, struct sim_sums *sums, struct removed *removed,
		   const struct removal_time *at);

/* Reads the id by which a delete can be undone. False: the answer has none. */
bool removals_read_id(struct str answer, char ret[REMOVAL_ID]);

#endif
