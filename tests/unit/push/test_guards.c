/* Labels and values that a rule denies: in the key, a series, an exemplar; never in the message. */
#include <stdlib.h>

#include "base/arena.h"
#include "config/group_rules.h"
#include "format/openmetrics/parse.h"
#include "lib/run.h"
#include "push/guards.h"

#define RULES(guards) "rules:\n- {match: '{}', " guards "}\n"

static const char rules_text[] = RULES(
	"deny_labels: [user_id, email], deny_values: ['[^@ ]+@[^@ ]+[.][a-z]+', '(?=a)(a|aa)+b']");

static const struct {
	const char *key, *body; /* key: the value of a label "k" */
	const char *want;       /* NULL: nothing is denied */
	bool in_key;
} cases[] = {
	{ "x", "a 1\n# EOF\n", NULL, false },
	{ "x", "a{x=\"y\"} 1\na{x=\"z\"} 1\n# EOF\n", NULL, false },
	{ "x", "b 1\na{user_id=\"4711\"} 1\n# EOF\n",
	  "the label \"user_id\" must not be pushed to this group", false },
	{ "x", "a{User_id=\"4711\"} 1\n# EOF\n", NULL, false },
	{ "x", "a{x=\"joe@example.org\"} 1\n# EOF\n", "the value of the label \"x\" looks like",
	  false },
	{ "x", "a{x=\"y\"} 1\na{x=\"joe@example.org\"} 1\n# EOF\n", "the value of the label \"x\"",
	  false },
	{ "x", "a{x=\"mail joe@example.org\"} 1\n# EOF\n", NULL, false },
	{ "joe@example.org", "a 1\n# EOF\n", "the value of the label \"k\"", true },
	{ "x", "# TYPE c counter\nc_total 1 # {x=\"joe@example.org\"} 1\n# EOF\n",
	  "the value of the label \"x\"", false },
	{ "x", "# TYPE c counter\nc_total 1 # {email=\"y\"} 1\n# EOF\n", "the label \"email\"",
	  false },
	{ "x",
	  "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 # {email=\"y\"} 1\nh_count 1\nh_sum 1\n# "
	  "EOF\n",
	  "the label \"email\"", false },
	{ "x", "a{x=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabx\"} 1\n# EOF\n",
	  "the value of the label \"x\" takes too long", false },
};

START_TEST(denied)
{
	const struct decode_limits lim = DECODE_UNLIMITED;
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	CLEANUP(arena_done) struct arena a;
	struct label label = { STR("k"), str_of(cases[_i].key) };
	const struct key key = { &label, 1, false };
	struct family *families;
	struct err err = { 0 };
	bool in_key;
	int r;

	arena_init(&a, 1 << 20);
	ck_assert_msg(group_rules_parse(str_of(rules_text), &rules, &err) == 0, "%s", err.msg);
	ck_assert_msg(openmetrics_parse(str_of(cases[_i].body), &lim, &a, &families, &err) == 0,
		      "%s", err.msg);
	r = guards_check(&rules->v[0].guards, 2, &key, families, &in_key, &err);
	ck_assert_int_eq(r, cases[_i].want ? -1 : 0);
	if (!cases[_i].want)
		return;
	ck_assert_msg(strstr(err.msg, cases[_i].want) != NULL, "%s", err.msg);
	ck_assert_ptr_nonnull(strstr(err.msg, "of the rule in line 2 of --config.file"));
	ck_assert_ptr_null(strstr(err.msg, "joe"));
	ck_assert_ptr_null(strstr(err.msg, "4711"));
	ck_assert(in_key == cases[_i].in_key);
	ck_assert(in_key || err.line > 0);
}
END_TEST

static const struct {
	const char *text, *want; /* a part of the message; NULL: it is right */
} files[] = {
	{ RULES("deny_labels: [a], deny_values: ['x+'], lint: warn"), NULL },
	{ RULES("deny_labels: [], deny_values: [], lint: refuse"), NULL },
	{ RULES("lint: off"), NULL },
	{ RULES("lint: on"), "line 2: lint is neither off, warn nor refuse: on" },
	{ RULES("lint: [warn]"), "into off, warn or refuse" },
	{ RULES("deny_labels: a"), "a list of labels like [user_id, email]" },
	{ RULES("deny_labels: [[a]]"), "the name of a label" },
	{ RULES("deny_labels: ['']"), "the name of a label" },
	{ RULES("deny_labels: [job]"), "line 2: every series has this label: job" },
	{ RULES("deny_values: x"), "a list of regular expressions" },
	{ RULES("deny_values: [[x]]"), "a regular expression" },
	{ RULES("deny_values: ['(']"), "line 2: the regular expression" },
	{ RULES("deny_values: ['.*']"), "line 2: it matches the empty value" },
};

START_TEST(in_the_file)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	struct err err = { 0 };
	int r = group_rules_parse(str_of(files[_i].text), &rules, &err);

	ck_assert_int_eq(r, files[_i].want ? -1 : 0);
	if (files[_i].want)
		ck_assert_msg(strstr(err.msg, files[_i].want) != NULL, "%s", err.msg);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("guards");

	tcase_add_loop_test(tc, denied, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, in_the_file, 0, ARRAY_LEN(files));
	return run_cases("guards", tc);
}
