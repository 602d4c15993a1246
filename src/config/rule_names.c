/*
 * Finds names in --config.file that no label or gauge can have: rules with such names would never
 * apply.
 */
#include "base/utf8.h"
#include "config/group_rules.h"
#include "metrics/names.h"

struct names {
	bool utf8;     /* --push.enable-utf8-names */
	uint32_t line; /* of the rule or entry */
	const char *option;
};

static int refuse(const struct names *in, struct str name, const char *what, const char *chars,
		  struct err *err)
{
	char quoted[128];

	return err_set(err, ERR_CONFIG, in->line,
		       "line %u: %s: %s is not the name of a %s: write letters, digits%s, and no "
		       "digit in front; other names need --push.enable-utf8-names",
		       in->line, in->option, str_quote(name, quoted, sizeof(quoted)), what, chars);
}

static int check_label(const struct names *in, struct str name, struct err *err)
{
	char quoted[128];

	if (str_has_prefix(name, STR("__")))
		return err_set(err, ERR_CONFIG, in->line,
			       "line %u: %s: %s begins with __, as no label of a push may",
			       in->line, in->option, str_quote(name, quoted, sizeof(quoted)));
	return in->utf8 || name_is_classic_label(name) ? 0
						       : refuse(in, name, "label", " and _", err);
}

static int check_gauges(const struct names *in, const struct gauge_policies *g, struct err *err)
{
	for (size_t i = 0; i < gauge_policies_count(g); i++) {
		enum merge_policy policy;
		struct str name = gauge_policies_at(g, i, &policy);

		if (!in->utf8 && gauge_policies_is_name(name) && !name_is_classic_metric(name))
			return refuse(in, name, "gauge", ", _ and :", err);
	}
	return 0;
}

static int check_rule(const struct group_rule *rule, bool utf8, struct err *err)
{
	const struct source_labels *sources = &rule->options.source_labels;

	for (uint32_t i = 0; i < sources->n; i++)
		if (check_label(&(struct names){ utf8, rule->line, "source_labels" },
				sources->names[i], err) < 0)
			return -1;
	for (uint32_t i = 0; i < rule->guards.n_deny_labels; i++)
		if (check_label(&(struct names){ utf8, rule->line, "deny_labels" },
				rule->guards.deny_labels[i], err) < 0)
			return -1;
	return check_gauges(&(struct names){ utf8, rule->line, "gauges" }, rule->options.gauges,
			    err);
}

int group_rules_check_names(const struct group_rules *rules, bool utf8_names, struct err *err)
{
	for (size_t i = 0; i < rules->n; i++)
		if (check_rule(&rules->v[i], utf8_names, err) < 0)
			return -1;
	for (size_t i = 0; rules->access && i < rules->access->n; i++) {
		const struct access_entry *e = &rules->access->v[i];
		const struct names in = { utf8_names, e->line, "labels" };

		for (uint32_t k = 0; k < e->n_labels; k++)
			if (check_label(&in, e->labels[k].name, err) < 0)
				return -1;
	}
	return 0;
}
