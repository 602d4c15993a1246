#include "config/rule_fields.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "config/units.h"
#include "metrics/exposable.h"

enum { SOURCE_LABELS_MAX = 16 };

int rule_at_line(uint32_t line, struct err *err)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "line %u: ", line);
	err->line = line;
	err_prefix(err, prefix);
	return -1;
}

static bool is_text(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && !yaml_is_null(n);
}

static int read_period(const struct yaml_node *n, bool *has, int64_t *to, struct err *err)
{
	if (!is_text(n))
		return yaml_wrong_type(n, "a duration like 15m", err);
	if (period_parse(n->text, to, err) < 0)
		return rule_at_line(n->line, err);
	*has = true;
	return 0;
}

static int read_ttl(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	return read_period(n, &o->has_ttl, &o->ttl_ns, err);
}

static int read_keep_times(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	return read_period(n, &o->has_keep_times, &o->keep_times_ns, err);
}

static int read_expect_every(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	return read_period(n, &o->has_expect_every, &o->expect_every_ns, err);
}

static int read_source_ttl(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	return read_period(n, &o->has_source_ttl, &o->source_ttl_ns, err);
}

static int read_zero_first(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	return read_period(n, &o->has_zero_first, &o->zero_first_ns, err);
}

static int read_match(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_rule *rule = to;

	if (!is_text(n))
		return yaml_wrong_type(n, "a selector like '{job=~\"ci-.*\"}'", err);
	if (selector_parse(n->text, &rule->match, err) < 0)
		return rule_at_line(n->line, err);
	return 0;
}

static int read_mode(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	if (!is_text(n))
		return yaml_wrong_type(n, "a mode: group, sum or add", err);
	if (!group_mode_by_name(n->text, &o->mode))
		return yaml_wrong_value(n, "an unknown mode (there are group, sum and add)", err);
	o->has_mode = true;
	return 0;
}

static int read_runtime_metrics(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	if (!is_text(n))
		return yaml_wrong_type(n, "keep or drop", err);
	if (!str_eq(n->text, STR("keep")) && !str_eq(n->text, STR("drop")))
		return yaml_wrong_value(n, "runtime_metrics is neither keep nor drop", err);
	o->has_runtime_metrics = true;
	o->keep_runtime_metrics = str_eq(n->text, STR("keep"));
	return 0;
}

/* ---- source_labels: [instance, pid] ---- */

static int read_source_label(const struct yaml_node *n, struct source_labels *labels,
			     struct str *to, struct err *err)
{
	const char *fault;

	if (!is_text(n))
		return yaml_wrong_type(n, "the name of a label", err);
	if (str_eq(n->text, STR("job")))
		return yaml_wrong_value(n, "the job is of the group and cannot name a source", err);
	if (n->text.n == 0 || str_has_prefix(n->text, STR("__")))
		return yaml_wrong_value(n, "not the name of a label", err);
	fault = exposable_label_fault(n->text);
	if (fault)
		return yaml_wrong_value(n, fault, err);
	for (uint32_t i = 0; i < labels->n; i++)
		if (str_eq(labels->names[i], n->text))
			return yaml_wrong_value(n, "the label is there twice", err);
	*to = (struct str){ mem_dup(n->text.p, n->text.n), n->text.n };
	labels->n++;
	return 0;
}

static int read_source_labels(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;
	struct str *names;

	if (n->kind != YAML_LIST)
		return yaml_wrong_type(n, "a list of labels like [instance, pid]", err);
	if (n->n > SOURCE_LABELS_MAX)
		return err_set(err, ERR_CONFIG, n->line,
			       "line %u: %zu labels of sources, at most %d are allowed", n->line,
			       n->n, SOURCE_LABELS_MAX);
	names = mem_zalloc((n->n + 1) * sizeof(*names));
	o->has_source_labels = true;
	o->source_labels = (struct source_labels){ names, 0 };
	for (const struct yaml_item *i = n->items; i; i = i->next)
		if (read_source_label(i->value, &o->source_labels, &names[o->source_labels.n],
				      err) < 0)
			return -1;
	return 0;
}

/* ---- gauges: {default: max, tasks_in_progress: livesum} ---- */

static int read_gauge(const struct yaml_item *i, struct gauge_policies *g, struct err *err)
{
	enum merge_policy policy;

	if (!is_text(i->key) || i->key->text.n == 0)
		return yaml_wrong_type(i->key, "the name of a gauge", err);
	if (!is_text(i->value))
		return yaml_wrong_type(i->value, "a policy like max", err);
	if (!merge_policy_by_name(i->value->text, &policy))
		return yaml_wrong_value(i->value,
					"an unknown policy (there are mostrecent, max, min, "
					"livesum, livemax and livemin)",
					err);
	if (gauge_policies_add(g, i->key->text, policy, err) < 0)
		return rule_at_line(i->key->line, err);
	return 0;
}

static int read_gauges(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;
	struct gauge_policies *g;

	if (n->kind != YAML_MAP)
		return yaml_wrong_type(n, "policies like {default: mostrecent, a_gauge: max}", err);
	g = gauge_policies_new();
	o->gauges = g;
	for (const struct yaml_item *i = n->items; i; i = i->next)
		if (read_gauge(i, g, err) < 0)
			return -1;
	return 0;
}

/* ---- limits: {series: 5000, families: 500, label_values: 1000, sources: 10000} ---- */

/* A yaml_read_fn, `to` is a uint64_t. */
static int read_limit(const struct yaml_node *n, void *to, struct err *err)
{
	int64_t v;

	if (!is_text(n))
		return yaml_wrong_type(n, "a number", err);
	if (!count_parse(n->text, &v) || v < 1 || v > INT64_C(1000000000))
		return yaml_wrong_value(n, "not a number from 1 to 1000000000", err);
	*(uint64_t *)to = (uint64_t)v;
	return 0;
}

static int read_max_sources(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	o->has_max_sources = true;
	return read_limit(n, &o->max_sources, err);
}

static const struct yaml_field limit_fields[] = {
	{ "series", read_limit, offsetof(struct group_rule, guards.limits.series) },
	{ "families", read_limit, offsetof(struct group_rule, guards.limits.families) },
	{ "label_values", read_limit, offsetof(struct group_rule, guards.limits.label_values) },
	{ "sources", read_max_sources, 0 },
};
static const struct yaml_type limits_type = { "limits", limit_fields, ARRAY_LEN(limit_fields) };

static int read_limits(const struct yaml_node *n, void *to, struct err *err)
{
	return yaml_read_struct(n, &limits_type, to, err);
}

/* ---- all of it ---- */

static const struct yaml_field rule_fields[] = {
	{ "match", read_match, 0 },
	{ "ttl", read_ttl, 0 },
	{ "keep_times", read_keep_times, 0 },
	{ "expect_every", read_expect_every, 0 },
	{ "mode", read_mode, 0 },
	{ "source_labels", read_source_labels, 0 },
	{ "source_ttl", read_source_ttl, 0 },
	{ "gauges", read_gauges, 0 },
	{ "zero_first", read_zero_first, 0 },
	{ "runtime_metrics", read_runtime_metrics, 0 },
	{ "limits", read_limits, 0 },
	{ "deny_labels", guard_rails_read_labels, offsetof(struct group_rule, guards) },
	{ "deny_values", guard_rails_read_values, offsetof(struct group_rule, guards) },
	{ "lint", guard_rails_read_lint, offsetof(struct group_rule, guards) },
};
static const struct yaml_type rule_type = { "rule", rule_fields, ARRAY_LEN(rule_fields) };

/* -1: the rule's mode and its other options contradict each other. */
static int check_mode(const struct group_rule *rule, struct err *err)
{
	const struct group_options *o = &rule->options;
	enum merge_policy policy;

	if (!o->has_mode || o->mode != GROUP_ADD)
		return 0;
	for (size_t i = 0; i < gauge_policies_count(o->gauges); i++) {
		struct str name = gauge_policies_at(o->gauges, i, &policy);
		char quoted[128];

		if (merge_policy_is_live(policy))
			return err_set(err, ERR_CONFIG, rule->line,
				       "line %u: the gauge %s is %s, but a group that is added to "
				       "has no sources that live: write mostrecent, max or min",
				       rule->line, str_quote(name, quoted, sizeof(quoted)),
				       merge_policy_name(policy));
	}
	return 0;
}

int rule_read(const struct yaml_node *n, struct group_rule *rule, struct err *err)
{
	rule->line = n->line;
	if (yaml_read_struct(n, &rule_type, rule, err) < 0)
		return -1;
	if (rule->match)
		return check_mode(rule, err);
	return err_set(err, ERR_CONFIG, n->line,
		       "line %u: the rule does not say which groups it is for: add match: "
		       "'{job=\"…\"}', or match: '{}' for all",
		       n->line);
}

void rule_done(struct group_rule *rule)
{
	struct source_labels *labels = &rule->options.source_labels;

	selector_free(rule->match);
	gauge_policies_unref(rule->options.gauges);
	guard_rails_done(&rule->guards);
	for (uint32_t i = 0; i < labels->n; i++)
		free((char *)labels->names[i].p);
	free((struct str *)labels->names);
}
