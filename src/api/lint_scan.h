/*
 * Finds names that break Prometheus's naming rules in the groups whose rule has `lint`: it looks at
 * what is stored whenever somebody asks, so that it is right after a restart, a delete and a
 * reload. In turns, on the background thread.
 */
#ifndef API_LINT_SCAN_H
#define API_LINT_SCAN_H

#include "api/api.h"
#include "api/group_filter.h"
#include "api/group_metrics.h"
#include "config/group_rules.h"
#include "push/lint.h"

struct lint_found {
	struct str key; /* of the group, canonical bytes */
	struct str name;
	int32_t type;
	enum lint_problem problem;
};

struct lint_scan {
	struct store *store;
	struct group_rules *rules;         /* owned */
	const struct group_filter *filter; /* borrowed; NULL: all groups */
	/* Called for each finding, in no order; *what is valid during the call. */
	void (*found)(void *arg, const struct lint_found *what);
	void *arg;
	uint32_t cursor, at;
	struct group_list some;
	struct held_group
		held; /* the group that is looked at; nothing if it is the next one's turn */
	uint32_t family;
	struct group_metrics metrics; /* of that family, once it has been begun */
	bool in_family;
	unsigned problems; /* of that family, so far */
	struct arena arena, scratch;
};

/* Takes the reference to the rules. */
void lint_scan_init(struct lint_scan *s, struct store *store, struct group_rules *rules);
void lint_scan_done(struct lint_scan *s);
/*
 * Looks at some lines of a family, or for the next group. True: there are no more, or *err has a
 * reason.
 */
bool lint_scan_step(struct lint_scan *s, struct err *err);

#endif
