/*
 * What a rule of --config.file forbids to push to its groups: labels, values of labels
 * (push/guards.h looks for both), names that break Prometheus's naming rules (push/lint.h), and
 * more series, families or label values than its limits allow (store/rule_limits.h).
 */
#ifndef CONFIG_GUARD_RAILS_H
#define CONFIG_GUARD_RAILS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/yaml_value.h"
#include "metrics/expression.h"

/* What is to be done with a push whose names break the rules. */
enum lint_mode {
	LINT_OFF,
	LINT_WARN,   /* the push is accepted, and its answer says what is wrong */
	LINT_REFUSE, /* 400 */
};

/* 0: not limited by the rule. */
struct rule_limits {
	uint64_t series, families; /* of one group; series: exposed lines */
	uint64_t label_values;     /* of one label, in all groups of the rule together */
};

/* All of it is owned. */
struct guard_rails {
	struct str *deny_labels; /* names */
	uint32_t n_deny_labels;
	struct expression **deny_values; /* each matches a whole value */
	uint32_t n_deny_values;
	enum lint_mode lint;
	struct rule_limits limits;
};

/* These are yaml_read_fn, `to` is a struct guard_rails. */
int guard_rails_read_labels(const struct yaml_node *n, void *to, struct err *err);
int guard_rails_read_values(const struct yaml_node *n, void *to, struct err *err);
int guard_rails_read_lint(const struct yaml_node *n, void *to, struct err *err);
void guard_rails_done(struct guard_rails *g);

static inline bool rule_limits_any(const struct rule_limits *l)
{
	return l->series || l->families || l->label_values;
}

#endif
