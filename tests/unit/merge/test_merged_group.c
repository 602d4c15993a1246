/* What becomes of what processes say one after the other: the tables of the specification. */
#include "lib/run.h"
#include "lib/say.h"
#include "merge/document.h"
#include "unit/merge/merged_world.h"

START_TEST(table_of_steps)
{
	struct world w;

	init(&w);
	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++)
		run(&w, rows[_i].steps[i]);
	check(&w, rows[_i].steps[0], rows[_i].want);
	done(&w);
}
END_TEST

/* Each beginning of a history is taken back from its end, step by step, and then done again. */
START_TEST(everything_can_be_taken_back)
{
	struct world w, plain;
	CLEANUP(strbuf_done) struct strbuf before = { 0 };
	CLEANUP(strbuf_done) struct strbuf after = { 0 };

	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++) {
		init(&w);
		init(&plain);
		for (int j = 0; j < i; j++) {
			run(&w, rows[_i].steps[j]);
			run(&plain, rows[_i].steps[j]);
			merged_commit(w.g);
			merged_commit(plain.g);
		}
		unsigned n_folded = w.n_folded;
		enum merge_policy gauges = w.gauges;
		double now = w.now;

		run(&w, rows[_i].steps[i]);
		merged_undo(w.g, 0);
		before.n = after.n = 0;
		said_exposed(plain.g, 1000, 0, &before);
		said_exposed(w.g, 1000, 0, &after);
		ck_assert_str_eq(strbuf_z(&after), strbuf_z(&before));
		ck_assert_uint_eq(w.g->n_values, plain.g->n_values);
		ck_assert_uint_eq(w.g->n, plain.g->n);
		w.n_folded = n_folded;
		w.gauges = gauges;
		w.now = now;
		for (int j = i; j < MAX_STEPS && rows[_i].steps[j]; j++)
			run(&w, rows[_i].steps[j]);
		check(&w, rows[_i].steps[0], rows[_i].want);
		done(&w);
		done(&plain);
	}
}
END_TEST

static const struct {
	const char *body, *says;
} refused[] = {
	{ "# TYPE c counter\nc -1\n", "its value is -1: a count can be neither negative nor NaN" },
	{ "# TYPE c counter\nc NaN\n", "its value is NaN" },
	{ "# TYPE c counter\nc +Inf\n", "its value is +Inf" },
	{ "c_total -1\n", "its value is -1" },
};

START_TEST(counts_that_can_be_none)
{
	struct err err = { 0 };

	ck_assert_ptr_null(say(refused[_i].body, MERGE_MOSTRECENT, &err));
	ck_assert_int_eq(err.reason, ERR_INVALID);
	ck_assert_msg(strstr(err.msg, refused[_i].says) != NULL, "%s", err.msg);
}
END_TEST

START_TEST(what_is_said_of_a_push)
{
	struct world w;

	init(&w);
	run(&w, "a@100 c_total 5; c_created 90");
	ck_assert_uint_eq(w.outcome, MERGED_NEW | MERGED_INHERITED);
	run(&w, "a@100 c_total 6; c_created 90");
	ck_assert_uint_eq(w.outcome, 0);
	run(&w, "b@100 c_total 0; c_created 90");
	ck_assert_uint_eq(w.outcome, MERGED_NEW);
	run(&w, "d@100 c_total 1; c_created 99.5");
	ck_assert_uint_eq(w.outcome, MERGED_NEW);
	run(&w, "e c 5");
	run(&w, "e c 4");
	ck_assert_uint_eq(w.outcome, MERGED_RESET);
	done(&w);
}
END_TEST

START_TEST(zeros_first)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct world w;

	init(&w);
	run(&w, "a c 5; g 1");
	run(&w, "a # TYPE s summary; s_sum 3; s_count 2");
	said_exposed(w.g, 1029, 30, &got);
	ck_assert_str_eq(strbuf_z(&got), "c 0\ng 1\ns_sum 0\ns_count 0\n");
	got.n = 0;
	said_exposed(w.g, 1030, 30, &got);
	ck_assert_str_eq(strbuf_z(&got), "c 5\ng 1\ns_sum 3\ns_count 2\n");
	done(&w);
}
END_TEST

START_TEST(refused_pushes_can_be_taken_back)
{
	const struct source a = { .name = STR("a") };
	struct contribution *c;
	struct world w;
	size_t mark;

	init(&w);
	run(&w, "a c 5");
	merged_commit(w.g);
	c = merged_find(w.g, &a, NULL);
	merged_refused(w.g, &a, 1001, "first");
	merged_undo(w.g, 0);
	ck_assert(c->failed_at == 0 && !c->failed_why);
	merged_refused(w.g, &a, 1002, "second");
	merged_commit(w.g);
	merged_refused(w.g, &a, 1003, "third");
	mark = merged_mark(w.g);
	merged_refused(w.g, &a, 1004, "fourth");
	merged_undo(w.g, mark);
	ck_assert(c->failed_at == 1003 && strcmp(c->failed_why, "third") == 0);
	merged_undo(w.g, 0);
	ck_assert(c->failed_at == 1002 && strcmp(c->failed_why, "second") == 0);
	done(&w);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("merged_group");

	tcase_add_loop_test(tc, table_of_steps, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, everything_can_be_taken_back, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, counts_that_can_be_none, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(tc, what_is_said_of_a_push);
	tcase_add_test(tc, zeros_first);
	tcase_add_test(tc, refused_pushes_can_be_taken_back);
	return run_cases_in_one_process("merged_group", tc);
}
