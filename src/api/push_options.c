#include "api/push_options.h"

#include "config/config.h"
#include "config/current_rules.h"

static int overlay_rule(struct current_rules *current, const struct key *key,
			struct group_options *o, struct err *err)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = current_rules_get(current);
	const struct group_rule *rule;

	if (group_rules_find(rules, key, &rule, err) < 0)
		return -1;
	if (rule)
		group_options_overlay(o, &rule->options);
	return 0;
}

int api_push_options(const struct config *c, struct current_rules *rules, const struct key *key,
		     const struct key_options *pairs, struct push_options *ret, struct err *err)
{
	struct group_options said;

	if (group_options_of_path(pairs, &said, err) < 0)
		return -1;
	*ret = (struct push_options){
		.group = {
			.has_ttl = true, .ttl_ns = c->push_ttl_ns,
			.has_keep_times = true, .keep_times_ns = c->push_keep_times_ns,
		},
		.own_ttl = said.has_ttl,
	};
	if (rules && overlay_rule(rules, key, &ret->group, err) < 0)
		return -1;
	group_options_overlay(&ret->group, &said);
	return 0;
}
