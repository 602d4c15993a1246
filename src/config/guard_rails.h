/*
 * What a rule of --config.file lets nobody push to the groups that it is for: labels, values of
 * labels, and names that break Prometheus's naming rules. push/guards.h and push/lint.h look for
 * them.
 */
#ifndef CONFIG_GUARD_RAILS_H
#define CONFIG_GUARD_RAILS_H

#include "config/yaml_value.h"
#include "metrics/expression.h"

/* What is to be done with a push whose names break the rules. */
enum lint_mode {
	LINT_OFF,
	LINT_WARN,   /* it is taken, and its answer says so */
	LINT_REFUSE, /* 400 */
};

/* All of it is owned. */
struct guard_rails {
	struct str *deny_labels; /* names */
	uint32_t n_deny_labels;
	struct expression **deny_values; /* that match a whole value */
	uint32_t n_deny_values;
	enum lint_mode lint;
};

/* These are yaml_read_fn, `to` is a struct guard_rails. */
int guard_rails_read_labels(const struct yaml_node *n, void *to, struct err *err);
int guard_rails_read_values(const struct yaml_node *n, void *to, struct err *err);
int guard_rails_read_lint(const struct yaml_node *n, void *to, struct err *err);
void guard_rails_done(struct guard_rails *g);

#endif
