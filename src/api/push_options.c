#include "api/push_options.h"

#include "config/config.h"
#include "metrics/selector.h"

static bool names_source(const struct source_labels *labels, const struct key *key)
{
	for (uint32_t i = 0; i < key->n_labels; i++)
		for (uint32_t j = 0; j < labels->n; j++)
			if (str_eq(key->labels[i].name, labels->names[j]))
				return true;
	return false;
}

/*
 * In a URL that names a source, ttl is the source's. Only a rule can let a summed group end, since
 * its totals go with it.
 */
static int place_ttl(const struct key *key, struct push_options *o, struct group_options *said,
		     struct err *err)
{
	if (!said->has_ttl || o->group.mode == GROUP_PLAIN)
		return 0;
	if (o->group.mode == GROUP_ADD ||
	    !(o->says.has_source || names_source(&o->group.source_labels, key)))
		return err_set(err, ERR_INVALID, 0,
			       "option __ttl__ cannot end a group that is summed, since its totals "
			       "would go: with mode sum, name the source too, as in "
			       "__source__/4711/__ttl__/15m, and it is that source's; or put "
			       "\"ttl: 30d\" into a rule of --config.file");
	said->has_ttl = false;
	o->group.source_ttl_ns = said->ttl_ns;
	return 0;
}

/* An option that has no effect in the group's mode is refused as a mistake. */
static int check_mode(const struct push_options *o, struct err *err)
{
	const struct push_says *says = &o->says;
	const char *name = says->has_source    ? "__source__"
			   : says->has_start   ? "__start__"
			   : says->has_push_id ? "__push_id__"
			   : says->final       ? "__final__"
					       : NULL;

	if (o->group.mode != GROUP_PLAIN || !name)
		return 0;
	return err_set(err, ERR_INVALID, 0,
		       "option %s is for groups that are summed or added to, and this one is not: "
		       "push to /sum/metrics/job/..., or write __mode__/sum",
		       name);
}

/* 1: one of the selectors matches, 0: none, -1: an expression took too long. */
static int any_matches(const char *flag, struct selector *const *selectors, const struct key *key,
		       struct err *err)
{
	for (; selectors && *selectors; selectors++) {
		int r = selector_match(*selectors, key, err);

		if (r < 0)
			err_prefix(err, flag);
		if (r != 0)
			return r;
	}
	return 0;
}

static int mode_of_flags(const struct config *c, const struct key *key, enum group_mode *ret,
			 struct err *err)
{
	int r = any_matches("--push.sum: ", c->sum_selectors, key, err);

	*ret = GROUP_SUM;
	if (r == 0) {
		*ret = GROUP_ADD;
		r = any_matches("--push.add: ", c->add_selectors, key, err);
	}
	if (r == 0)
		*ret = GROUP_PLAIN;
	return r < 0 ? -1 : 0;
}

/* The options that hold if neither the push nor a rule gives others. */
static int begin(const struct config *c, const struct key *key, struct group_options *ret,
		 struct err *err)
{
	*ret = (struct group_options){
		.has_ttl = true,
		.ttl_ns = c->push_ttl_ns,
		.has_keep_times = true,
		.keep_times_ns = c->push_keep_times_ns,
		.has_mode = true,
		.has_source_labels = true,
		.source_labels = source_labels_usual,
		.has_source_ttl = true,
		.source_ttl_ns = SOURCE_TTL_USUAL,
		.has_zero_first = true,
		.zero_first_ns = c->push_zero_first_ns,
		.has_runtime_metrics = true,
		.has_max_sources = true,
		.max_sources = SOURCES_USUAL,
	};
	return mode_of_flags(c, key, &ret->mode, err);
}

int api_push_options(const struct config *c, const struct group_rules *rules, const struct key *key,
		     enum group_mode prefix, const struct key_options *pairs,
		     struct push_options *ret, const struct group_rule **ret_rule, struct err *err)
{
	const struct group_rule *rule = NULL;
	struct group_options said, rest;
	struct push_options o = { 0 };

	if (begin(c, key, &o.group, err) < 0)
		return -1;
	if (group_options_of_path(pairs, &said, &o.says, err) < 0)
		return -1;
	if (rules && group_rules_find(rules, key, &rule, err) < 0)
		return -1;
	if (rule)
		group_options_overlay(&o.group, &rule->options);
	if (prefix != GROUP_PLAIN)
		o.group.mode = prefix;
	rest = said;
	rest.has_ttl = false;
	group_options_overlay(&o.group, &rest);
	if (o.group.mode != GROUP_PLAIN && !(rule && rule->options.has_ttl))
		o.group.ttl_ns = 0;
	if (check_mode(&o, err) < 0 || place_ttl(key, &o, &said, err) < 0)
		return -1;
	o.own_ttl = said.has_ttl;
	group_options_overlay(&o.group, &said);
	*ret = o;
	*ret_rule = rule;
	return 0;
}
