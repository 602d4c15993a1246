/* The rules of --config.file: what they may say, which applies. */
#include <stdlib.h>

#include "base/mem.h"
#include "config/group_rules.h"
#include "config/units.h"
#include "lib/run.h"
#include "unit/config/rules_text.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)

static const struct {
	const char *text;
	int64_t ns; /* -1: refused */
} periods[] = {
	{ "0", 0 },
	{ "90s", 90 * SECOND },
	{ "15m", 900 * SECOND },
	{ "2h", 2 * HOUR },
	{ "7d", 168 * HOUR },
	{ "1h30m", HOUR + 1800 * SECOND },
	{ "1d12h", 36 * HOUR },
	{ "250ms", 250 * MS },
	{ "900", 900 * SECOND },
	{ "0.5", 500 * MS },
	{ "1.5h", HOUR + 1800 * SECOND },
	{ "0s", 0 },
	{ "0.000d0h", 0 },
	{ "0.000000001", 1 },
	{ "0.0000000001", 1 },
	{ "0.00000000000000000000000001s", 1 },
	{ "3650d", 87600 * HOUR },
	{ "3650d1ms", -1 },
	{ "", -1 },
	{ " 1s", -1 },
	{ "1s ", -1 },
	{ "s", -1 },
	{ "-1s", -1 },
	{ "+1s", -1 },
	{ "1h30", -1 },
	{ "30 m", -1 },
	{ "1.", -1 },
	{ ".5", -1 },
	{ "1us", -1 },
	{ "1w", -1 },
	{ "1M", -1 },
	{ "1e3", -1 },
	{ "99999999999999999999", -1 },
	{ "9223372036854775807d", -1 },
	{ "one day", -1 },
};

START_TEST(period)
{
	CLEANUP(freep) char *copy = mem_dup(periods[_i].text, strlen(periods[_i].text));
	struct err err = { 0 };
	int64_t ns = -1;

	if (period_parse((struct str){ copy, strlen(periods[_i].text) }, &ns, &err) < 0)
		ck_assert_ptr_nonnull(
			strstr(err.msg, "is no duration of up to 3650d: expected 90s"));
	ck_assert_msg(ns == periods[_i].ns, "%s: %lld", periods[_i].text, (long long)ns);
}
END_TEST

static void show_limits(struct strbuf *out, const struct rule_limits *l)
{
	if (l->series)
		strbuf_addf(out, " series=%llu", (unsigned long long)l->series);
	if (l->families)
		strbuf_addf(out, " families=%llu", (unsigned long long)l->families);
	if (l->label_values)
		strbuf_addf(out, " label_values=%llu", (unsigned long long)l->label_values);
}

static void show(struct strbuf *out, const struct group_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		strbuf_addf(out, "%s%u:", i ? " " : "", rules->v[i].line);
		strbuf_adds(out, selector_text(rules->v[i].match));
		show_options(out, &rules->v[i].options);
		show_limits(out, &rules->v[i].guards.limits);
	}
}

/* `want` is what show() says, or when it begins with '!' the line and the message. */
static const struct {
	const char *text, *want;
} files[] = {
	{ "", "" },
	{ "# nothing\n", "" },
	{ "{}", "" },
	{ "rules:\n", "" },
	{ "rules: []\n", "" },
	{ "rules:\n- match: '{job=\"a\"}'\n  ttl: 7d\n- match: '{}'\n",
	  "2:{job=\"a\"} ttl=168h0m0s 4:{}" },
	{ "rules:\n- {match: '{job=~\"a.*\"}', ttl: 90, keep_times: 0, expect_every: 26h}\n",
	  "2:{job=~\"a.*\"} ttl=1m30s keep_times=0s expect_every=26h0m0s" },
	{ "rules:\n- match: '{}'\n  mode: sum\n  source_labels: [instance, pid]\n"
	  "  source_ttl: 15m\n  gauges: {a: livesum, default: max, '.*_s': min}\n"
	  "  zero_first: 30s\n  runtime_metrics: keep\n  limits: {series: 5000, sources: 10}\n",
	  "2:{} mode=sum source_labels=instance,pid source_ttl=15m0s default=max a=livesum "
	  ".*_s=min zero_first=30s runtime=keep sources=10 series=5000" },
	{ "rules:\n- match: '{}'\n  limits: {label_values: 1000000000, families: 1, series: 2}\n",
	  "2:{} series=2 families=1 label_values=1000000000" },
	{ "rules:\n- {match: '{}', mode: add, source_labels: [], gauges: {}, runtime_metrics: "
	  "drop, "
	  "limits: {}}\n",
	  "2:{} mode=add source_labels= runtime=drop" },
	{ "rules:\n- match: '{}'\n  mode: Sum\n",
	  "!3: line 3: an unknown mode (there are group, sum and add): Sum" },
	{ "rules:\n- match: '{}'\n  mode:\n",
	  "!3: line 3: cannot unmarshal !!null `` into a mode: group, sum or add" },
	{ "rules:\n- match: '{}'\n  source_labels: pid\n",
	  "!3: line 3: cannot unmarshal !!str `pid` into a list of labels like [instance, pid]" },
	{ "rules:\n- match: '{}'\n  source_labels: [pid, job]\n",
	  "!3: line 3: the job is of the group and cannot name a source: job" },
	{ "rules:\n- match: '{}'\n  source_labels: [pid, a, pid]\n",
	  "!3: line 3: the label is there twice: pid" },
	{ "rules:\n- match: '{}'\n  source_labels: [__a]\n",
	  "!3: line 3: not the name of a label: __a" },
	{ "rules:\n- match: '{}'\n  source_labels: [[a]]\n",
	  "!3: line 3: cannot unmarshal !!seq into the name of a label" },
	{ "rules:\n- match: '{}'\n  source_labels: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]\n",
	  "!3: line 3: 17 labels of sources, at most 16 are allowed" },
	{ "rules:\n- match: '{}'\n  source_ttl: x\n", "!3: line 3: \"x\" is no duration" },
	{ "rules:\n- match: '{}'\n  gauges:\n    a: max\n    b: sum\n",
	  "!5: line 5: an unknown policy (there are mostrecent, max, min, livesum, livemax and "
	  "livemin): sum" },
	{ "rules:\n- match: '{}'\n  gauges: [a]\n",
	  "!3: line 3: cannot unmarshal !!seq into policies like" },
	{ "rules:\n- match: '{}'\n  gauges:\n    'a(': max\n",
	  "!4: line 4: the regular expression \"a(\" is wrong at its byte 3" },
	{ "rules:\n- match: '{}'\n  mode: add\n  gauges: {a: max, default: livesum}\n",
	  "!2: line 2: the gauge \"default\" is livesum, but a group that is added to has no "
	  "sources "
	  "that live: write mostrecent, max or min" },
	{ "rules:\n- match: '{}'\n  runtime_metrics: yes\n",
	  "!3: line 3: runtime_metrics is neither keep nor drop: yes" },
	{ "rules:\n- match: '{}'\n  limits: {sources: 0}\n",
	  "!3: line 3: not a number from 1 to 1000000000: 0" },
	{ "rules:\n- match: '{}'\n  limits: {label_values: 0}\n",
	  "!3: line 3: not a number from 1 to 1000000000: 0" },
	{ "rules:\n- match: '{}'\n  limits: {families: 1000000001}\n",
	  "!3: line 3: not a number from 1 to 1000000000: 1000000001" },
	{ "rules:\n- match: '{}'\n  limits: {series: [1]}\n",
	  "!3: line 3: cannot unmarshal !!seq into a number" },
	{ "rules:\n- match: '{}'\n  limits: 7\n",
	  "!3: line 3: cannot unmarshal !!int `7` into limits" },
	{ "rules:\n- match: '{}'\n  limits: {serious: 1}\n",
	  "!3: line 3: field serious not found in type limits" },
	{ "rules: 1\n", "!1: line 1: cannot unmarshal !!int `1` into a list of rules" },
	{ "rules:\n- 1\n", "!2: line 2: cannot unmarshal !!int `1` into rule" },
	{ "rules:\n- ttl: 7d\n", "!2: line 2: the rule does not say which groups it is for: add "
				 "match: '{job=\"…\"}', or match: '{}' for all" },
	{ "rules:\n-\n", "!2: line 2: the rule does not say which groups it is for" },
	{ "rules:\n- match: '{}'\n  ttl: soon\n",
	  "!3: line 3: \"soon\" is no duration of up to 3650d: expected 90s, 15m" },
	{ "rules:\n- match: '{}'\n  ttl:\n",
	  "!3: line 3: cannot unmarshal !!null `` into a duration like 15m" },
	{ "rules:\n- match: '{}'\n  ttl: [1]\n",
	  "!3: line 3: cannot unmarshal !!seq into a duration like 15m" },
	{ "rules:\n- match: '{}'\n  ttl: -1\n", "!3: line 3: \"-1\" is no duration" },
	{ "rules:\n- match: {}\n", "!2: line 2: cannot unmarshal !!map into a selector like" },
	{ "rules:\n- match: job\n", "!2: line 2: the selector \"job\" is wrong at its byte 1" },
	{ "rules:\n- match: '{job=~\"(\"}'\n",
	  "!2: line 2: the regular expression \"(\" is wrong" },
	{ "rules:\n- match: '{}'\n  tll: 7d\n", "!3: line 3: field tll not found in type rule" },
	{ "rules:\n- match: '{}'\n  match: '{}'\n",
	  "!3: line 3: field match already set in type rule" },
	{ "rule:\n", "!1: line 1: field rule not found in type configuration" },
	{ "[]", "!1: line 1: cannot unmarshal !!seq into configuration" },
	{ "rules: [\n", "!2: " },
};

/* The library's words begin differently from ours. */
static const char *without_unmarshal(const char *msg)
{
	static const char words[] = "yaml: unmarshal errors: ";

	return strncmp(msg, words, sizeof(words) - 1) == 0 ? msg + sizeof(words) - 1 : msg;
}

START_TEST(file)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	CLEANUP(strbuf_done) struct strbuf said = { 0 };
	struct err err = { 0 };

	if (group_rules_parse(str_of(files[_i].text), &rules, &err) == 0)
		show(&said, rules);
	else
		strbuf_addf(&said, "!%u: %s", err.line, without_unmarshal(err.msg));
	ck_assert_msg(*files[_i].want == '!' ? strncmp(strbuf_z(&said), files[_i].want,
						       strlen(files[_i].want)) == 0
					     : strcmp(strbuf_z(&said), files[_i].want) == 0,
		      "%s: %s", files[_i].text, strbuf_z(&said));
}
END_TEST

START_TEST(too_many_rules)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct group_rules *rules = NULL;
	struct err err;

	strbuf_addz(&text, "rules:\n");
	for (int i = 0; i < GROUP_RULES_MAX; i++)
		strbuf_addz(&text, "- {match: '{}'}\n");
	ck_assert_msg(group_rules_parse(strbuf_str(&text), &rules, &err) == 0, "%s", err.msg);
	group_rules_unref(rules);
	strbuf_addz(&text, "- {match: '{}'}\n");
	ck_assert_int_lt(group_rules_parse(strbuf_str(&text), &rules, &err), 0);
	ck_assert_str_eq(err.msg, "line 2: 10001 rules, at most 10000 are allowed");
}
END_TEST

static struct label job = { { "job", 3 }, { NULL, 0 } };
static const struct key key = { .labels = &job, .n_labels = 1 };

static uint32_t line_for(const struct group_rules *rules, const char *value)
{
	const struct group_rule *rule;
	struct err err;

	job.value = str_of(value);
	ck_assert_int_eq(group_rules_find(rules, &key, &rule, &err), 0);
	return rule ? rule->line : 0;
}

START_TEST(the_first_that_matches)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	struct err err;

	ck_assert_int_eq(group_rules_parse(STR("rules:\n"
					       "- match: '{job=\"a\"}'\n"
					       "- match: '{job=~\"a|b\"}'\n"
					       "- match: '{job=\"b\"}'\n"),
					   &rules, &err),
			 0);
	ck_assert_uint_eq(line_for(rules, "a"), 2);
	ck_assert_uint_eq(line_for(rules, "b"), 3);
	ck_assert_uint_eq(line_for(rules, "c"), 0);
}
END_TEST

START_TEST(a_rule_that_takes_too_long)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	const struct group_rule *rule;
	char value[3000];
	struct err err;

	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '!';
	ck_assert_int_eq(group_rules_parse(STR("rules:\n- match: '{job=~\"(?=a)(a|aa)+\"}'\n"),
					   &rules, &err),
			 0);
	job.value = (struct str){ value, sizeof(value) };
	ck_assert_int_lt(group_rules_find(rules, &key, &rule, &err), 0);
	ck_assert_int_eq(err.reason, ERR_INVALID);
	ck_assert_ptr_nonnull(
		strstr(err.msg, "line 2: the regular expression \"(?=a)(a|aa)+\" takes too long"));
}
END_TEST

static const struct {
	const char *rule, *why; /* NULL: there is nothing wrong with it */
	bool never;             /* nor with --push.enable-utf8-names */
} names[] = {
	{ "source_labels: [pid, _x9]", NULL, false },
	{ "source_labels: [pid, 9x]", "line 2: source_labels: \"9x\" is not the name of a label",
	  false },
	{ "source_labels: [a-b]", "source_labels: \"a-b\" is not the name of a label", false },
	{ "deny_labels: [email, user id]", "deny_labels: \"user id\" is not the name of a label",
	  false },
	{ "deny_labels: [__name__]", "deny_labels: \"__name__\" begins with __", true },
	{ "gauges: {default: max, 'a:b': min, '9.*': max}", NULL, false },
	{ "gauges: {9x: max}", "gauges: \"9x\" is not the name of a gauge", false },
	{ "gauges: {a-b: max}", "gauges: \"a-b\" is not the name of a gauge", false },
};

static void check_names(const struct group_rules *rules, bool utf8_names, const char *why)
{
	struct err err = { 0 };
	int r = group_rules_check_names(rules, utf8_names, &err);

	ck_assert_msg(r == (why ? -1 : 0) && (!why || strstr(err.msg, why)), "%s", err.msg);
	ck_assert_uint_eq(err.line, why ? 2 : 0);
}

START_TEST(names_that_there_can_be)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct err err = { 0 };

	strbuf_addf(&text, "rules:\n- {match: '{}', %s}\n", names[_i].rule);
	ck_assert_msg(group_rules_parse(strbuf_str(&text), &rules, &err) == 0, "%s", err.msg);
	check_names(rules, false, names[_i].why);
	check_names(rules, true, names[_i].never ? names[_i].why : NULL);
}
END_TEST

START_TEST(names_of_labels_that_are_put_on)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(
		group_rules_parse(STR("access:\n- {who: [a], may: [push], labels: {9x: y}}\n"),
				  &rules, &err),
		0);
	check_names(rules, false, "line 2: labels: \"9x\" is not the name of a label");
	check_names(rules, true, NULL);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("group_rules");

	tcase_add_loop_test(tc, period, 0, (int)ARRAY_LEN(periods));
	tcase_add_loop_test(tc, file, 0, (int)ARRAY_LEN(files));
	tcase_add_test(tc, too_many_rules);
	tcase_add_test(tc, the_first_that_matches);
	tcase_add_test(tc, a_rule_that_takes_too_long);
	tcase_add_loop_test(tc, names_that_there_can_be, 0, (int)ARRAY_LEN(names));
	tcase_add_test(tc, names_of_labels_that_are_put_on);
	return run_cases("group_rules", tc);
}
