#include "process/check_config.h"

#include <stdio.h>

#include "api/path.h"
#include "config/group_rules.h"
#include "config/units.h"

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	return 1;
}

static void print(const char *name, bool has, int64_t ns)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	if (!has)
		return;
	duration_format(ns, &text);
	printf("  %s: %s\n", name, ns ? strbuf_z(&text) : "never");
}

/* As it is set in all: the rule, and what the URL itself says. */
static void print_options(const struct group_options *o)
{
	print("ttl", o->has_ttl, o->ttl_ns);
	print("keep_times", o->has_keep_times, o->keep_times_ns);
	print("expect_every", o->has_expect_every, o->expect_every_ns);
	if (!o->has_ttl && !o->has_keep_times && !o->has_expect_every)
		puts("  as the flags say");
}

/* Whatever stands before /metrics/job is a host or a route prefix. */
static int parse_url(const char *url, struct arena *a, struct key *key, struct group_options *said,
		     struct err *err)
{
	const struct str push = STR("/metrics/job");
	const struct key_limits lim = { UINT32_MAX, UINT32_MAX, UINT32_MAX, true };
	struct key_options pairs;
	struct push_says says;
	struct path path;
	const char *at;

	if (path_decode(str_of(url), a, &path, err) < 0)
		return -1;
	at = memmem(path.decoded.p, path.decoded.n, push.p, push.n);
	if (!at)
		return err_set(err, ERR_INVALID, 0,
			       "no URL to push to: expected http://host:9091/metrics/job/NAME/...");
	at += push.n;
	if (key_parse((struct str){ at, (size_t)(path.decoded.p + path.decoded.n - at) }, &lim, a,
		      key, &pairs, err) < 0)
		return -1;
	return group_options_of_path(&pairs, said, &says, err);
}

static int explain(const struct group_rules *rules, const char *url)
{
	CLEANUP(arena_done) struct arena a;
	const struct group_rule *rule;
	struct group_options all = { 0 }, said;
	struct err err;
	struct key key;

	arena_init(&a, 64 << 20);
	if (parse_url(url, &a, &key, &said, &err) < 0 ||
	    group_rules_find(rules, &key, &rule, &err) < 0)
		return fail(url, err.msg);
	if (rule) {
		struct str text = selector_text(rule->match);

		printf("%s: the rule in line %u applies: %.*s\n", url, rule->line, STR_ARG(text));
		all = rule->options;
	} else {
		printf("%s: no rule applies\n", url);
	}
	group_options_overlay(&all, &said);
	print_options(&all);
	return 0;
}

int check_config(int argc, char **argv)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	struct err err;

	if (argc < 2 || argc > 3 || argv[1][0] == '-') {
		fputs("usage: tallygate check-config FILE [URL]\n", stderr);
		return 1;
	}
	if (group_rules_read(argv[1], CONFIG_FILE_ANY, &rules, &err) < 0)
		return fail(argv[1], err.msg);
	printf("%s: %zu rules\n", argv[1], rules->n);
	return argc > 2 ? explain(rules, argv[2]) : 0;
}
