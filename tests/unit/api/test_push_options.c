/* Who says what of a push: the URL's pairs, its prefix, a rule, the flags. */
#include <stdio.h>
#include <stdlib.h>

#include "api/path.h"
#include "api/push_options.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/units.h"
#include "lib/run.h"

static const char rules_text[] = "rules:\n"
				 "- match: '{job=\"summed\"}'\n"
				 "  mode: sum\n"
				 "  source_labels: [task]\n"
				 "  source_ttl: 1m\n"
				 "  gauges: {a: livesum}\n"
				 "  zero_first: 30s\n"
				 "  runtime_metrics: keep\n"
				 "  limits: {series: 7, sources: 8}\n"
				 "- match: '{job=\"ends\"}'\n"
				 "  ttl: 30d\n"
				 "- match: '{job=\"plain\"}'\n"
				 "  mode: group\n"
				 "- match: '{job=~\"(a|aa)+\"}'\n";

static void parse_flags(struct config *c, const char *const *flags)
{
	char *argv[8] = { mem_strdup("tallygate") };
	enum config_action action;
	struct err err;
	int argc = 1;

	for (; *flags; flags++)
		argv[argc++] = mem_strdup(*flags);
	ck_assert_msg(config_parse(c, argc, argv, &action, &err) == 0, "%s", err.msg);
	while (argc > 0)
		free(argv[--argc]);
}

static void add_time(struct strbuf *out, const char *name, int64_t ns)
{
	if (!ns)
		return;
	strbuf_addf(out, " %s=", name);
	duration_format(ns, out);
}

static void show(const struct push_options *o, struct strbuf *out)
{
	const struct group_options *g = &o->group;

	strbuf_addz(out, group_mode_name(g->mode));
	add_time(out, "ttl", g->ttl_ns);
	if (o->own_ttl)
		strbuf_addz(out, " own");
	if (g->mode == GROUP_PLAIN)
		return;
	strbuf_addz(out, " by=");
	for (uint32_t i = 0; i < g->source_labels.n; i++)
		strbuf_addf(out, "%s%.*s", i ? "," : "", STR_ARG(g->source_labels.names[i]));
	add_time(out, "source_ttl", g->source_ttl_ns);
	add_time(out, "zero_first", g->zero_first_ns);
	if (g->gauges)
		strbuf_addf(out, " gauges=%zu", gauge_policies_count(g->gauges));
	if (g->keep_runtime_metrics)
		strbuf_addz(out, " keep");
	strbuf_addf(out, " %llu", (unsigned long long)g->max_sources);
	if (o->says.has_source)
		strbuf_addf(out, " source=%.*s", STR_ARG(o->says.source));
	if (o->says.has_start)
		strbuf_addf(out, " start=%.0f", o->says.start);
	if (o->says.has_push_id)
		strbuf_addf(out, " push_id=%.*s", STR_ARG(o->says.push_id));
	if (o->says.final)
		strbuf_addz(out, " final");
}

#define USUAL " by=instance,pid,worker source_ttl=15m0s 10000"
#define SUMMED " by=task source_ttl=1m0s zero_first=30s gauges=1 keep 8"

/* '!': what the message begins with. */
static const struct {
	const char *path, *want;
	const char *flags[4];
} rows[] = {
	{ "/metrics/job/x", "group", { 0 } },
	{ "/metrics/job/x", "group ttl=1m0s", { "--push.ttl=1m" } },
	/* the mode */
	{ "/sum/metrics/job/x", "sum" USUAL, { 0 } },
	{ "/add/metrics/job/x", "add" USUAL, { 0 } },
	{ "/metrics/job/x/__mode__/sum", "sum" USUAL, { 0 } },
	{ "/metrics/job/x/__mode__@base64/YWRk", "add" USUAL, { 0 } },
	{ "/metrics/job/x", "sum" USUAL, { "--push.sum={job=\"x\"}" } },
	{ "/metrics/job/x", "add" USUAL, { "--push.sum={job=\"y\"}", "--push.add={}" } },
	{ "/metrics/job/x", "sum" USUAL, { "--push.add={}", "--push.sum={job=~\"x|y\"}" } },
	{ "/metrics/job/y", "sum" USUAL, { "--push.sum={job=\"x\"}", "--push.sum={job=\"y\"}" } },
	{ "/metrics/job/summed", "sum" SUMMED, { "--push.add={}" } },
	{ "/metrics/job/plain", "group", { "--push.sum={}" } },
	{ "/add/metrics/job/summed", "add" SUMMED, { 0 } },
	{ "/sum/metrics/job/plain", "sum" USUAL, { 0 } },
	{ "/add/metrics/job/summed/__mode__/sum", "sum" SUMMED, { "--push.add={}" } },
	{ "/add/metrics/job/summed/__mode__/group", "group", { "--push.add={}" } },
	/* times */
	{ "/sum/metrics/job/x",
	  "sum by=instance,pid,worker source_ttl=15m0s zero_first=1m0s 10000",
	  { "--push.ttl=1m", "--push.zero-first=1m" } },
	{ "/metrics/job/summed", "sum" SUMMED, { "--push.ttl=1m", "--push.zero-first=1m" } },
	{ "/sum/metrics/job/ends",
	  "sum ttl=720h0m0s by=instance,pid,worker source_ttl=15m0s 10000",
	  { "--push.ttl=1m" } },
	{ "/metrics/job/ends/__ttl__/2h", "group ttl=2h0m0s own", { 0 } },
	{ "/sum/metrics/job/ends/pid/1/__ttl__/2h",
	  "sum ttl=720h0m0s by=instance,pid,worker source_ttl=2h0m0s 10000",
	  { 0 } },
	{ "/metrics/job/summed/task/1/__ttl__/0",
	  "sum by=task zero_first=30s gauges=1 keep 8",
	  { 0 } },
	{ "/sum/metrics/job/x/__source__/a/__ttl__/2h",
	  "sum by=instance,pid,worker source_ttl=2h0m0s 10000 source=a",
	  { 0 } },
	{ "/sum/metrics/job/x/__ttl__/2h",
	  "!option __ttl__ cannot end a group that is summed",
	  { 0 } },
	{ "/metrics/job/summed/pid/1/__ttl__/2h", "!option __ttl__ cannot end a group", { 0 } },
	{ "/add/metrics/job/x/pid/1/__ttl__/2h", "!option __ttl__ cannot end a group", { 0 } },
	/* of the process */
	{ "/sum/metrics/job/x/__source__/4711/__start__/1732620000.25/__final__/1/__push_id__/k",
	  "sum" USUAL " source=4711 start=1732620000 push_id=k final",
	  { 0 } },
	{ "/sum/metrics/job/x/__source__@base64/YS9i/__final__/0",
	  "sum" USUAL " source=a/b",
	  { 0 } },
	{ "/add/metrics/job/x/__push_id__@base64/YS9i", "add" USUAL " push_id=a/b", { 0 } },
	{ "/metrics/job/x/__source__/1",
	  "!option __source__ is for groups that are summed",
	  { 0 } },
	{ "/metrics/job/x/__start__/1", "!option __start__ is for groups that are summed", { 0 } },
	{ "/metrics/job/x/__final__/1", "!option __final__ is for groups that are summed", { 0 } },
	{ "/metrics/job/plain/__push_id__/1", "!option __push_id__ is for groups", { 0 } },
	{ "/sum/metrics/job/x/__foo__/1", "!improper label name \"__foo__\"", { 0 } },
	{ "/sum/metrics/job/x/__mode__/max", "!option __mode__ has a wrong value \"max\"", { 0 } },
};

START_TEST(each_option_is_the_last_ones_that_says_it)
{
	const struct key_limits lim = { 100, 1024, 65536, false };
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	CLEANUP(arena_done) struct arena a;
	CLEANUP(config_done) struct config c;
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	const char *want = rows[_i].want;
	const struct group_rule *rule;
	struct push_options o;
	struct key_options pairs;
	struct push_path path;
	struct err err;
	struct key key;

	arena_init(&a, 1 << 20);
	parse_flags(&c, rows[_i].flags);
	ck_assert_msg(group_rules_parse(str_of(rules_text), &rules, &err) == 0, "%s", err.msg);
	ck_assert(push_path_parse(str_of(rows[_i].path), &path));
	ck_assert_int_eq(key_parse(path.key, &lim, &a, &key, &pairs, &err), 0);
	if (api_push_options(&c, rules, &key, path.mode, &pairs, &o, &rule, &err) == 0) {
		show(&o, &got);
	} else {
		ck_assert_int_eq(err.reason, ERR_INVALID);
		strbuf_addf(&got, "!%s", err.msg);
		got.n = got.n < strlen(want) ? got.n : strlen(want);
	}
	ck_assert_msg(strcmp(strbuf_z(&got), want) == 0, "%s: %s", rows[_i].path, strbuf_z(&got));
}
END_TEST

START_TEST(an_expression_that_takes_too_long)
{
	static char job[3001];
	struct label labels[] = { { STR("job"), { job, sizeof(job) } } };
	const struct key key = { .labels = labels, .n_labels = 1 };
	const struct key_options none = { 0 };
	CLEANUP(config_done) struct config c;
	const struct group_rule *rule;
	struct push_options o;
	struct err err;

	memset(job, 'a', sizeof(job) - 1);
	job[sizeof(job) - 1] = '!';
	parse_flags(&c, (const char *const[]){ "--push.add={job=~\"(?=a)(a|aa)+\"}", NULL });
	ck_assert_int_eq(api_push_options(&c, NULL, &key, GROUP_PLAIN, &none, &o, &rule, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg,
				     "--push.add: the regular expression \"(?=a)(a|aa)+\" takes "
				     "too long"));
	ck_assert_int_eq(err.reason, ERR_INVALID);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("push_options");

	tcase_add_loop_test(tc, each_option_is_the_last_ones_that_says_it, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, an_expression_that_takes_too_long);
	return run_cases("push_options", tc);
}
