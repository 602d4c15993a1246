/* `access:` of --config.file: what it may say, and whether another one lets in more. */
#include <stdlib.h>

#include "config/group_rules.h"
#include "lib/run.h"

static void show(struct strbuf *out, const struct access_rules *a)
{
	if (!a) {
		strbuf_addz(out, "none");
		return;
	}
	strbuf_addf(out, "%zu", a->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct access_entry *e = &a->v[i];

		strbuf_addf(out, " %u:", e->line);
		for (uint32_t k = 0; k < e->n_who; k++)
			strbuf_addf(out, "%s%.*s", k ? "," : "", STR_ARG(e->who[k]));
		for (int v = 0; v < N_ACCESS_VERBS; v++)
			if (access_entry_lists(e, (enum access_verb)v))
				strbuf_addf(out, " %s", access_verbs[v]);
		if (e->match)
			strbuf_adds(out, selector_text(e->match));
		for (uint32_t k = 0; k < e->n_labels; k++)
			strbuf_addf(out, " %.*s=%.*s", STR_ARG(e->labels[k].name),
				    STR_ARG(e->labels[k].value));
		if (e->override)
			strbuf_addz(out, " override");
	}
}

#define ONE(rest) "access:\n- {who: [a], " rest "}\n"
#define VERBS "(there are push, delete, scrape, read, admin and probe)"

/* `want` begins with '!' where it is refused: a part of the message. */
static const struct {
	const char *text, *want;
} files[] = {
	{ "", "none" },
	{ "rules: []\n", "none" },
	{ "access: []\n", "0" },
	{ ONE("may: [push]"), "1 2:a push" },
	{ "access:\n- who: [ops, 'cn:o', 'DNS:x', 'dns:Host.Example', anonymous]\n",
	  "!line 2: nobody is called so: write the name of a user" },
	{ "access:\n- who: [ops, 'cn:O p', 'dns:Host.Example', anonymous]\n  may: [probe, read, "
	  "push, delete, scrape, admin]\n",
	  "1 2:ops,cn:O p,dns:host.example,anonymous push delete scrape read admin probe" },
	{ ONE("may: [push, delete, read, probe], match: '{job=~\"ci-.*\"}', labels: {team: ci, b: "
	      "x}, override: true"),
	  "1 2:a push delete read probe{job=~\"ci-.*\"} b=x team=ci override" },
	{ "access:\n- {who: [a], may: [read]}\n- {who: [b], may: [push]}\n",
	  "2 2:a read 3:b push" },
	{ "access:\n", "!line 1: cannot unmarshal !!null `` into a list like" },
	{ "access: 1\n", "![] is for nobody" },
	{ "access:\n- ops\n", "!into access" },
	{ "access:\n- {may: [read]}\n",
	  "!line 2: the entry does not say whom it is for: add who: [ops]" },
	{ "access:\n- {who: [], may: [read]}\n", "!line 2: the entry does not say whom" },
	{ "access:\n- {who: ops, may: [read]}\n", "!a list of names like [ops]" },
	{ "access:\n- {who: [''], may: [read]}\n", "!line 2: the name is empty" },
	{ "access:\n- {who: ['cn:'], may: [read]}\n", "!line 2: the name is empty" },
	{ "access:\n- {who: ['dns:'], may: [read]}\n", "!line 2: the name is empty" },
	{ "access:\n- {who: [[a]], may: [read]}\n", "!a name: ops" },
	{ "access:\n- {who: [a], users: [b]}\n", "!field users not found in type access" },
	{ "access:\n- {who: [a]}\n",
	  "!line 2: the entry does not say what they may do: add may: [read]" },
	{ ONE("may: []"), "!does not say what they may do" },
	{ ONE("may: read"), "!a list of verbs" },
	{ ONE("may: [write]"), "!line 2: an unknown verb " VERBS ": write" },
	{ ONE("may: [Push]"), "!an unknown verb" },
	{ ONE("may: [[push]]"), "!a verb (there are" },
	{ ONE("may: [scrape], match: '{}'"), "!line 2: match is for push and delete" },
	{ ONE("may: [read], match: '{}'"), "!leave match out" },
	{ ONE("may: [admin, read, scrape, probe], match: '{}'"), "!leave match out" },
	{ ONE("may: [admin, push], match: '{}'"), "1 2:a push admin{}" },
	{ ONE("may: [push], match: '{job'"), "!line 2: the selector" },
	{ ONE("may: [push], match: "), "!a selector like" },
	{ ONE("may: [push], labels: [x]"), "!labels like {team: ci}" },
	{ ONE("may: [push], labels: {__x: y}"), "!the name of a label" },
	{ ONE("may: [push], labels: {x: ''}"), "!the value of a label" },
	{ ONE("may: [push], labels: {x: [y]}"), "!the value of a label" },
	{ ONE("may: [push], labels: {'a:b': y}"), "!line 2: " },
	{ ONE("may: [push], labels: {x: y, x: z}"), "!line 2: " },
	{ ONE("may: [push, scrape], labels: {x: y}"),
	  "!labels narrow push, delete and read, but neither scrape nor admin" },
	{ ONE("may: [push, admin], labels: {x: y}"), "!list these in an entry of their own" },
	{ ONE("may: [push], override: true"),
	  "!line 2: override is for labels, and the entry has none" },
	{ ONE("may: [push], override: yes please, labels: {a: b}"), "!into bool" },
};

START_TEST(file)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	const char *want = files[_i].want;
	struct err err;

	if (group_rules_parse(str_of(files[_i].text), &rules, &err) == 0) {
		show(&got, rules->access);
		ck_assert_str_eq(strbuf_z(&got), want);
		return;
	}
	ck_assert_msg(want[0] == '!' && strstr(err.msg, want + 1), "%s: %s", files[_i].text,
		      err.msg);
	ck_assert_uint_gt(err.line, 0);
}
END_TEST

#define A "- {who: [a], may: [push]}\n"
#define B "- {who: [b], may: [push, read], match: '{job=\"b\"}', labels: {t: b}}\n"
#define ACCESS "access:\n"

static const struct {
	const char *from, *to;
	bool widens;
} pairs[] = {
	{ "", "", false },
	{ "", ACCESS A, false },
	{ "", "access: []", false },
	{ ACCESS A, "", true },
	{ "access: []", "rules: []", true },
	{ ACCESS A B, ACCESS A B, false },
	{ ACCESS A B, ACCESS A, false },
	{ ACCESS A B, "access: []", false },
	{ ACCESS A B, ACCESS B, true }, /* an entry in front may have put labels on */
	{ ACCESS A, ACCESS A B, true },
	{ "access: []", ACCESS A, true },
	{ ACCESS B, ACCESS "- {who: [b], may: [push, read], match: '{job=\"b\"}'}", true },
	{ ACCESS B, ACCESS "- {who: [b], may: [push, read], labels: {t: b}}", true },
	{ ACCESS B, ACCESS "- {who: [b], may: [push, read], match: '{}', labels: {t: b}}", true },
	{ ACCESS B, ACCESS "- {who: [b], may: [push, read], match: '{job=\"b\"}', labels: {t: c}}",
	  true },
	{ ACCESS B,
	  ACCESS
	  "- {who: [b], may: [push, read], match: '{job=\"b\"}', labels: {t: b}, override: true}",
	  true },
	{ ACCESS A, ACCESS "- {who: [a, b], may: [push]}", true },
	{ ACCESS A, ACCESS "- {who: [b], may: [push]}", true },
	{ ACCESS A, ACCESS "- {who: [a], may: [push, delete]}", true },
};

START_TEST(letting_in_more)
{
	CLEANUP(group_rules_unrefp) struct group_rules *from = NULL, *to = NULL;
	struct err err;

	ck_assert_int_eq(group_rules_parse(str_of(pairs[_i].from), &from, &err), 0);
	ck_assert_int_eq(group_rules_parse(str_of(pairs[_i].to), &to, &err), 0);
	ck_assert_msg(access_rules_widen(from->access, to->access) == pairs[_i].widens, "%s -> %s",
		      pairs[_i].from, pairs[_i].to);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("access_rules");

	tcase_add_loop_test(tc, file, 0, ARRAY_LEN(files));
	tcase_add_loop_test(tc, letting_in_more, 0, ARRAY_LEN(pairs));
	return run_cases("access_rules", tc);
}
