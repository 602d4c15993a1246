/*
 * The counts for the limits of rules (private to src/store): rule_limits.c counts, rule_verdicts.c
 * compares. The committer's thread; other threads read `shown` and `complete` under the lock of the
 * pages.
 */
#ifndef STORE_RULE_LIMIT_STATE_H
#define STORE_RULE_LIMIT_STATE_H

#include "base/arena.h"
#include "config/group_rules.h"
#include "store/label_counts.h"
#include "store/rule_limits.h"
#include "store/store.h"

struct counted_rule {
	struct label_counts counts;
	bool changed;           /* since it was shown */
	struct label_use shown; /* under the lock of the pages */
};

struct rule_limit_state {
	struct group_rules *rules;
	struct counted_rule *of; /* one for each rule */
	uint16_t *rule; /* by slot of the group: the number of the rule that applies, + 1 */
	uint32_t n_slots;
	uint32_t next; /* slot that store_count_labels() comes to next; 0: all are counted */
	bool any, any_labels;
	bool changed;  /* a count has changed since counts were shown */
	bool complete; /* all groups are counted; under the lock of the pages */
	struct arena arena;
};

/*
 * The counts of the group's rule, and the rule in *ret. NULL: no rule, a rule without limits, or
 * the group is not met yet.
 */
struct counted_rule *limits_rule_of(struct store *s, const struct group *g,
				    const struct group_rule **ret);
/*
 * The counts of the group's rule if that limits label values. NULL: nothing is counted for the
 * group.
 */
struct counted_rule *limits_counts_of(struct store *s, const struct group *g);

#endif
