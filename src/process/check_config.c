#include "process/check_config.h"

#include <stdio.h>

#include "api/path.h"
#include "api/push_options.h"
#include "base/secrets.h"
#include "config/config.h"
#include "config/group_rules.h"
#include "config/units.h"
#include "format/text/write.h"
#include "merge/source.h"
#include "push/guards.h"

#define DAY_NS (INT64_C(24) * 3600 * 1000000000)

/* A push URL, and what the rules and the URL say about pushes to it. */
struct asked {
	struct key key;
	const struct group_rule *rule; /* the rule that applies; NULL: none does */
	struct group_options said;     /* options given by rule and URL; flags are not known here */
	struct push_options all;
};

/* Prints a message without the password that a URL in it may have. */
static int fail(char *what, char *why)
{
	hide_passwords(what);
	hide_passwords(why);
	fprintf(stderr, "%s: %s\n", what, why);
	return 1;
}

/* ---- the file ---- */

/*
 * Warns of a ttl with which the totals of a group that is quiet over a long weekend would be gone.
 */
static void warn_of_ttl(uint32_t line, enum group_mode mode, const struct group_options *o)
{
	CLEANUP(strbuf_done) struct strbuf ttl = { 0 };

	if (mode == GROUP_PLAIN || !o->has_ttl || o->ttl_ns == 0 || o->ttl_ns >= 7 * DAY_NS)
		return;
	duration_format(o->ttl_ns, &ttl);
	fprintf(stderr,
		"warning: line %u: the totals of a group with mode %s go %s after its last push: "
		"with less than 7d a quiet weekend resets them; for the gauges of silent sources "
		"there is source_ttl\n",
		line, group_mode_name(mode), strbuf_z(&ttl));
}

static void warn_of_rules(const struct group_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct group_options *o = &rules->v[i].options;

		warn_of_ttl(rules->v[i].line, o->has_mode ? o->mode : GROUP_PLAIN, o);
	}
}

/* ---- what the rules do to a URL ---- */

static void print(const char *name, bool has, int64_t ns, const char *zero)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	if (!has)
		return;
	duration_format(ns, &text);
	printf("  %s: %s\n", name, ns ? strbuf_z(&text) : zero);
}

static void print_labels(const char *name, const struct key *key)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	text_write_labels(&text, key->labels, key->n_labels, false);
	printf("  %s: %s\n", name, strbuf_z(&text));
}

/* Prints which group a push goes into, and its source. */
static int print_source(const struct asked *asked, struct arena *a, struct err *err)
{
	const struct group_options *o = &asked->all.group;
	const struct push_says *says = &asked->all.says;
	const struct source_options by = {
		.labels = o->source_labels.names,
		.n_labels = o->source_labels.n,
		.has_source = says->has_source,
		.source = says->source,
	};
	struct source source;
	struct key group;

	if (source_split(&asked->key, &by, NULL, false, a, &group, &source, err) < 0)
		return -1;
	print_labels("group", &group);
	if (o->mode == GROUP_ADD)
		return 0;
	if (says->has_source)
		printf("  source: %.*s\n", STR_ARG(says->source));
	else if (group.n_labels < asked->key.n_labels)
		printf("  source: the other %u labels\n", asked->key.n_labels - group.n_labels);
	else
		puts("  source: the start of the process, which the body has to say in "
		     "process_start_time_seconds, or the URL in __start__");
	print("source_ttl", true, o->source_ttl_ns, "never");
	return 0;
}

static void print_gauges(const struct gauge_policies *g)
{
	for (size_t i = 0; i < gauge_policies_count(g); i++) {
		enum merge_policy policy;
		struct str name = gauge_policies_at(g, i, &policy);

		printf("  gauge %.*s: %s\n", STR_ARG(name), merge_policy_name(policy));
	}
}

static void print_limit(const char *name, uint64_t max, const char *of)
{
	if (max)
		printf("  limits.%s: %llu%s\n", name, (unsigned long long)max, of);
}

static void print_limits(const struct group_rule *rule)
{
	if (!rule)
		return;
	print_limit("series", rule->guards.limits.series, "");
	print_limit("families", rule->guards.limits.families, "");
	print_limit("label_values", rule->guards.limits.label_values,
		    " of one label, in all groups of this rule together");
}

static int print_summed(const struct asked *asked, struct arena *a, struct err *err)
{
	const struct group_options *o = &asked->all.group;

	printf("  mode: %s\n", group_mode_name(o->mode));
	if (print_source(asked, a, err) < 0)
		return -1;
	print_gauges(o->gauges);
	print("zero_first", asked->said.has_zero_first, o->zero_first_ns, "not");
	printf("  runtime_metrics: %s\n", o->keep_runtime_metrics ? "keep" : "drop");
	print_limits(asked->rule);
	if (o->mode == GROUP_SUM)
		printf("  limits.sources: %llu\n", (unsigned long long)o->max_sources);
	return 0;
}

static bool has_guards(const struct group_rule *rule)
{
	return rule && (guards_any(&rule->guards) || rule->guards.lint ||
			rule_limits_any(&rule->guards.limits));
}

static void print_guards(const struct group_rule *rule)
{
	static const char *const modes[] = { NULL, "warn", "refuse" };

	if (!rule)
		return;
	for (uint32_t i = 0; i < rule->guards.n_deny_labels; i++)
		printf("  deny_labels: %.*s\n", STR_ARG(rule->guards.deny_labels[i]));
	for (uint32_t i = 0; i < rule->guards.n_deny_values; i++)
		printf("  deny_values: %.*s\n",
		       STR_ARG(expression_text(rule->guards.deny_values[i])));
	if (rule->guards.lint)
		printf("  lint: %s\n", modes[rule->guards.lint]);
}

static int print_options(const struct asked *asked, struct arena *a, struct err *err)
{
	const struct group_options *said = &asked->said, *all = &asked->all.group;

	print("ttl", said->has_ttl, all->ttl_ns, "never");
	print("keep_times", said->has_keep_times, all->keep_times_ns, "not");
	print("expect_every", said->has_expect_every, all->expect_every_ns, "never");
	print_guards(asked->rule);
	if (all->mode != GROUP_PLAIN)
		return print_summed(asked, a, err);
	if (said->has_mode)
		puts("  mode: group");
	print_limits(asked->rule);
	if (!said->has_ttl && !said->has_keep_times && !said->has_expect_every && !said->has_mode &&
	    !has_guards(asked->rule))
		puts("  as the flags say");
	return 0;
}

/* Everything in front of /metrics/job and its mode is taken for a host and a route prefix. */
int check_config_url(const char *url, struct arena *a, struct push_path *ret, struct err *err)
{
	const struct str push = STR("/metrics/job");
	struct path path;
	const char *at;
	size_t before;

	if (path_decode(str_of(url), a, &path, err) < 0)
		return -1;
	at = memmem(path.decoded.p, path.decoded.n, push.p, push.n);
	before = at ? (size_t)(at - path.decoded.p) : 0;
	if (before >= 4 && (memcmp(at - 4, "/sum", 4) == 0 || memcmp(at - 4, "/add", 4) == 0))
		before -= 4;
	if (at &&
	    push_path_parse((struct str){ path.decoded.p + before, path.decoded.n - before }, ret))
		return 0;
	return err_set(err, ERR_INVALID, 0,
		       "no URL to push to: expected http://host:9091/metrics/job/NAME/...");
}

static int ask(const struct group_rules *rules, const char *url, struct arena *a, struct asked *ret,
	       struct err *err)
{
	const struct key_limits lim = { UINT32_MAX, UINT32_MAX, UINT32_MAX, true };
	static const struct config no_flags;
	struct key_options pairs;
	struct group_options own;
	struct push_says says;
	struct push_path path;

	*ret = (struct asked){ 0 };
	if (check_config_url(url, a, &path, err) < 0 ||
	    key_parse(path.key, &lim, a, &ret->key, &pairs, err) < 0 ||
	    group_options_of_path(&pairs, &own, &says, err) < 0 ||
	    api_push_options(&no_flags, rules, &ret->key, path.mode, &pairs, &ret->all, &ret->rule,
			     err) < 0)
		return -1;
	if (ret->rule)
		group_options_overlay(&ret->said, &ret->rule->options);
	if (ret->all.group.mode != GROUP_PLAIN)
		own.has_ttl = false;
	group_options_overlay(&ret->said, &own);
	return 0;
}

/* Prints whether the other rules match, too. */
static int print_others(const struct group_rules *rules, const struct group_rule *applies,
			const struct key *key, struct err *err)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct group_rule *rule = &rules->v[i];
		struct str text = selector_text(rule->match);
		int r = rule == applies ? 0 : selector_match(rule->match, key, err);

		if (r < 0)
			return -1;
		if (rule != applies)
			printf("the rule in line %u %s: %.*s\n", rule->line,
			       r ? "matches too, but is not the first" : "does not match",
			       STR_ARG(text));
	}
	return 0;
}

static int explain(const struct group_rules *rules, char *url)
{
	CLEANUP(arena_done) struct arena a;
	struct asked asked;
	struct err err;

	arena_init(&a, 64 << 20);
	if (ask(rules, url, &a, &asked, &err) < 0)
		return fail(url, err.msg);
	hide_passwords(url);
	if (asked.rule) {
		struct str text = selector_text(asked.rule->match);

		printf("%s: the rule in line %u applies: %.*s\n", url, asked.rule->line,
		       STR_ARG(text));
	} else {
		printf("%s: no rule applies\n", url);
	}
	if (print_options(&asked, &a, &err) < 0 ||
	    print_others(rules, asked.rule, &asked.key, &err) < 0)
		return fail(url, err.msg);
	if (asked.rule && !asked.rule->options.has_mode)
		warn_of_ttl(asked.rule->line, asked.all.group.mode, &asked.rule->options);
	return 0;
}

int check_config(int argc, char **argv)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	bool utf8_names = argc > 1 && strcmp(argv[1], "--push.enable-utf8-names") == 0;
	struct err err;

	argc -= utf8_names;
	argv += utf8_names;
	if (argc < 2 || argc > 3 || argv[1][0] == '-') {
		fputs("usage: tallygate check-config [--push.enable-utf8-names] FILE [URL]\n",
		      stderr);
		return 1;
	}
	if (group_rules_read(argv[1], CONFIG_FILE_ANY, &rules, &err) < 0 ||
	    group_rules_check_names(rules, utf8_names, &err) < 0)
		return fail(argv[1], err.msg);
	printf("%s: %zu rules\n", argv[1], rules->n);
	if (rules->access)
		printf("access: %zu entries\n", rules->access->n);
	warn_of_rules(rules);
	return argc > 2 ? explain(rules, argv[2]) : 0;
}
