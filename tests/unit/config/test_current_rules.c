/* Rules that are reloaded: which are in force, and what has become of groups. */
#include <stdio.h>

#include "config/current_rules.h"
#include "lib/run.h"
#include "lib/temp_dir.h"
#include "unit/config/rules_text.h"

static struct temp_dir dir;

static void write_file(const char *text)
{
	FILE *f = fopen(dir.db, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static size_t in_force(struct current_rules *l)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = current_rules_get(l);

	return rules->n;
}

static void unexpected(void *arg, struct str selector, const struct source_labels *was,
		       const struct source_labels *is)
{
	(void)arg, (void)was, (void)is;
	ck_abort_msg("%.*s", STR_ARG(selector));
}

static const struct current_rules_reload reload = { .regrouped = unexpected };

START_TEST(reloading)
{
	struct group_rules *held;
	struct current_rules *l;
	struct err err;

	write_file("rules:\n- match: '{}'\n");
	l = current_rules_open(dir.db, false, &err);
	ck_assert_ptr_nonnull(l);
	ck_assert_uint_eq(in_force(l), 1);
	held = current_rules_get(l);

	write_file("rules:\n- match: '{}'\n- match: '{}'\n");
	ck_assert_uint_eq(in_force(l), 1);
	ck_assert_int_eq(current_rules_reload(l, &reload, &err), 0);
	ck_assert_uint_eq(in_force(l), 2);
	ck_assert_uint_eq(held->n, 1);
	ck_assert(current_rules_state(l).last_ok);

	write_file("rules:\n- match: '{'\n");
	ck_assert_int_lt(current_rules_reload(l, &reload, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "line 2: the selector"));
	ck_assert_int_eq(err.reason, ERR_CONFIG);
	ck_assert_uint_eq(in_force(l), 2);
	ck_assert(!current_rules_state(l).last_ok);

	ck_assert_int_eq(remove(dir.db), 0);
	ck_assert_int_lt(current_rules_reload(l, &reload, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "no such file"));
	ck_assert_uint_eq(in_force(l), 2);

	write_file("");
	ck_assert_int_eq(current_rules_reload(l, &reload, &err), 0);
	ck_assert_uint_eq(in_force(l), 0);
	ck_assert(current_rules_state(l).last_ok);
	group_rules_unref(held);
	current_rules_close(l);
}
END_TEST

static void add_labels(struct strbuf *out, const struct source_labels *labels)
{
	for (uint32_t i = 0; i < labels->n; i++)
		strbuf_addf(out, "%s%.*s", i ? "," : "", STR_ARG(labels->names[i]));
}

static void regrouped(void *arg, struct str selector, const struct source_labels *was,
		      const struct source_labels *is)
{
	struct strbuf *out = arg;

	strbuf_addf(out, " %.*s:", STR_ARG(selector));
	add_labels(out, was);
	strbuf_addz(out, "->");
	add_labels(out, is);
}

#define RULES(text) "rules:\n" text
#define A(labels) "- {match: '{job=\"a\"}', source_labels: " labels "}\n"
#define ALL "- match: '{}'\n"

static const struct {
	const char *was, *is, *want;
} changes[] = {
	{ RULES(ALL), RULES(ALL), "" },
	{ RULES(A("[pid]")), RULES(ALL A("[pid]")), "" },
	{ RULES(A("[pid, a]")), RULES(A("[a, pid]")), "" },
	{ RULES(A("[pid, worker, instance]")), RULES(), "" },
	{ RULES(A("[pid]")), RULES(A("[pid, a]")), " {job=\"a\"}:pid->pid,a" },
	{ RULES(A("[pid, a]")), RULES(A("[pid, b]")), " {job=\"a\"}:pid,a->pid,b" },
	{ RULES(), RULES(A("[pid]")), " {job=\"a\"}:instance,pid,worker->pid" },
	{ RULES(A("[]")), RULES(ALL), " {job=\"a\"}:->instance,pid,worker" },
	{ RULES(A("[pid]") A("[a]")), RULES(A("[pid]")), "" },
	{ RULES(A("[pid]")), RULES(A("[a]") A("[pid]")), " {job=\"a\"}:pid->a" },
};

START_TEST(other_source_labels)
{
	CLEANUP(group_rules_unrefp) struct group_rules *was = NULL, *is = NULL;
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	struct err err;

	ck_assert_int_eq(group_rules_parse(str_of(changes[_i].was), &was, &err), 0);
	ck_assert_int_eq(group_rules_parse(str_of(changes[_i].is), &is, &err), 0);
	group_rules_regrouped(was, is, regrouped, &out);
	ck_assert_str_eq(strbuf_z(&out), changes[_i].want);
}
END_TEST

START_TEST(no_file)
{
	struct err err;

	ck_assert_ptr_null(current_rules_open("/nonexistent/rules.yml", false, &err));
	ck_assert_str_eq(err.msg, "open /nonexistent/rules.yml: no such file or directory");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("current_rules");
	int failed;

	temp_dir_make(&dir);
	tcase_add_test(tc, reloading);
	tcase_add_loop_test(tc, other_source_labels, 0, (int)ARRAY_LEN(changes));
	tcase_add_test(tc, no_file);
	failed = run_cases("current_rules", tc);
	temp_dir_remove(&dir);
	return failed;
}
