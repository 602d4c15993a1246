/*
 * Batches: the two time metrics of each group, what a rollback leaves, and what
 * scrapes and copies see meanwhile.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/gateway.h"
#include "lib/run.h"
#include "store/internal.h"
#include "unit/store/store_text.h"

/* Steps take place at 1.5, 2.5, 3.5 ...; pushed and failed are what /j shows; -1: not there. */
static const struct {
	const char *name;
	struct gateway_push steps[5];
	double pushed, failed;
} times[] = {
	{ "first push", { { PUSH_PUT, "/j", "a 1\n", 0 } }, 1.5, 0 },
	{ "first push is a POST", { { PUSH_POST, "/j", "a 1\n", 0 } }, 1.5, 0 },
	{ "empty PUT", { { PUSH_PUT, "/j", "", 0 } }, 1.5, 0 },
	{ "empty POST", { { PUSH_POST, "/j", "", 0 } }, 1.5, 0 },
	{ "second push",
	  { { PUSH_PUT, "/j", "a 1\n", 0 }, { PUSH_PUT, "/j", "a 1\n", 0 } },
	  2.5,
	  0 },
	{ "second push is empty",
	  { { PUSH_PUT, "/j", "a 1\n", 0 }, { PUSH_POST, "/j", "", 0 } },
	  2.5,
	  0 },
	{ "emptied by a PUT",
	  { { PUSH_PUT, "/j", "a 1\n", 0 }, { PUSH_PUT, "/j", "", 0 } },
	  2.5,
	  0 },
	{ "refused, new group", { { PUSH_PUT, "/j", REFUSED, ERR_INVALID } }, 0, 1.5 },
	{ "refused by the store, new group",
	  { { PUSH_PUT, "/k", "a 1\n", 0 },
	    { PUSH_PUT, "/j", "# TYPE a gauge\na 1\n", ERR_INVALID } },
	  0,
	  2.5 },
	{ "refused",
	  { { PUSH_PUT, "/j", "a 1\n", 0 }, { PUSH_POST, "/j", REFUSED, ERR_INVALID } },
	  1.5,
	  2.5 },
	{ "refused twice",
	  { { PUSH_PUT, "/j", REFUSED, ERR_INVALID }, { PUSH_PUT, "/j", REFUSED, ERR_INVALID } },
	  0,
	  2.5 },
	{ "accepted after a refusal",
	  { { PUSH_PUT, "/j", REFUSED, ERR_INVALID }, { PUSH_PUT, "/j", "a 1\n", 0 } },
	  2.5,
	  1.5 },
	{ "all kinds",
	  { { PUSH_PUT, "/j", "a 1\n", 0 },
	    { PUSH_PUT, "/j", REFUSED, ERR_INVALID },
	    { PUSH_POST, "/j", "b 1\n", 0 },
	    { PUSH_POST, "/j", REFUSED, ERR_INVALID } },
	  3.5,
	  4.5 },
	{ "DELETE", { { PUSH_PUT, "/j", "a 1\n", 0 }, { PUSH_DELETE, "/j", "", 0 } }, -1, -1 },
	{ "DELETE of a group that only failed",
	  { { PUSH_PUT, "/j", REFUSED, ERR_INVALID }, { PUSH_DELETE, "/j", "", 0 } },
	  -1,
	  -1 },
	{ "DELETE forgets the failure",
	  { { PUSH_PUT, "/j", REFUSED, ERR_INVALID },
	    { PUSH_DELETE, "/j", "", 0 },
	    { PUSH_PUT, "/j", "a 1\n", 0 } },
	  3.5,
	  0 },
	{ "DELETE forgets the success",
	  { { PUSH_PUT, "/j", "a 1\n", 0 },
	    { PUSH_DELETE, "/j", "", 0 },
	    { PUSH_PUT, "/j", REFUSED, ERR_INVALID } },
	  0,
	  3.5 },
	{ "a refused twin does not count",
	  { { PUSH_PUT, "/j", "a 1\n", 0 }, { PUSH_PUT, "/j/instance/", "b 1\n", ERR_INVALID } },
	  1.5,
	  0 },
	{ "other groups do not count",
	  { { PUSH_PUT, "/j", "a 1\n", 0 },
	    { PUSH_PUT, "/k", "b 1\n", 0 },
	    { PUSH_PUT, "/k", REFUSED, ERR_INVALID } },
	  1.5,
	  0 },
};

static void check_time(struct store *s, const char *metric, double want, const char *name)
{
	CLEANUP(freep) char *text = exposed(s);
	char line[100];

	snprintf(line, sizeof(line), "%s{instance=\"\",job=\"j\"} ", metric);
	if (want >= 0)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%g\n", want);
	ck_assert_msg(!strstr(text, line) == (want < 0), "%s: looked for %s in\n%s", name, line,
		      text);
}

START_TEST(times_row)
{
	for (int one_batch = 0; one_batch < 2; one_batch++) {
		struct store *again = store_new(&(struct store_limits){ 100, 100 });
		struct gateway g;
		struct err err = { 0 };

		gateway_init(&g, 100, 100);
		for (const struct gateway_push *s = times[_i].steps; s->path; s++) {
			gateway_stage(&g, s);
			if (!one_batch)
				gateway_publish(&g);
		}
		if (one_batch)
			gateway_publish(&g);
		ck_assert_msg(load_store(&g.rows.base, again, &err) == STORAGE_LOADED, "%s",
			      err.msg);
		check_time(g.store, "push_time_seconds", times[_i].pushed, times[_i].name);
		check_time(g.store, "push_failure_time_seconds", times[_i].failed, times[_i].name);
		check_time(again, "push_time_seconds", times[_i].pushed, times[_i].name);
		check_time(again, "push_failure_time_seconds", times[_i].failed, times[_i].name);
		store_free(again);
		gateway_done(&g);
	}
}
END_TEST

/* Each batch is rolled back; afterwards `next` is accepted or not as if it had never been. */
static const struct {
	const char *name;
	struct gateway_push batch[5];
	struct gateway_push next;
} rollbacks[] = {
	{ "a new group",
	  { { PUSH_PUT, "/n/instance/", "n 1\n", 0 } },
	  { PUSH_PUT, "/n", "n 1\n", 0 } },
	{ "a new name",
	  { { PUSH_POST, "/j", "# TYPE n gauge\nn 1\n", 0 } },
	  { PUSH_PUT, "/n", "# TYPE n counter\nn 1\n", 0 } },
	{ "a new histogram",
	  { { PUSH_POST, "/j", "# TYPE n histogram\nn_count 1\n", 0 } },
	  { PUSH_PUT, "/n", "n_count 1\n", 0 } },
	{ "a change of type",
	  { { PUSH_POST, "/j", "# TYPE a gauge\na 1\n", 0 } },
	  { PUSH_PUT, "/n", "# TYPE a gauge\na 1\n", ERR_INVALID } },
	{ "a change of type of what then goes",
	  { { PUSH_POST, "/j", "# TYPE a gauge\na 1\n", 0 }, { PUSH_DELETE, "/j", "", 0 } },
	  { PUSH_PUT, "/n", "# TYPE a gauge\na 1\n", ERR_INVALID } },
	{ "a type that moved to another group",
	  { { PUSH_DELETE, "/j", "", 0 }, { PUSH_PUT, "/n", "# TYPE a gauge\na 1\n", 0 } },
	  { PUSH_PUT, "/n", "a 1\n", 0 } },
	{ "a series that moved to another group",
	  { { PUSH_DELETE, "/j/x/1", "", 0 }, { PUSH_POST, "/j", "b{x=\"1\"} 1\n", 0 } },
	  { PUSH_POST, "/j", "b{x=\"1\"} 1\n", ERR_INVALID } },
	{ "a deletion",
	  { { PUSH_DELETE, "/j", "", 0 } },
	  { PUSH_PUT, "/j/instance/", "", ERR_INVALID } },
	{ "a twin in its place",
	  { { PUSH_DELETE, "/j", "", 0 }, { PUSH_PUT, "/j/instance/", "a 1\n", 0 } },
	  { PUSH_PUT, "/j/instance/", "", ERR_INVALID } },
	{ "an emptied group",
	  { { PUSH_PUT, "/j", "", 0 } },
	  { PUSH_PUT, "/j/x/1", "h_sum 1\n", ERR_INVALID } },
	{ "a refusal",
	  { { PUSH_PUT, "/j", REFUSED, ERR_INVALID } },
	  { PUSH_PUT, "/j", "a 1\n", 0 } },
	{ "a refused new group",
	  { { PUSH_PUT, "/n", REFUSED, ERR_INVALID } },
	  { PUSH_PUT, "/n", "", 0 } },
	{ "created and deleted",
	  { { PUSH_PUT, "/n", "n 1\n", 0 }, { PUSH_DELETE, "/n", "", 0 } },
	  { PUSH_PUT, "/n", "n 1\n", 0 } },
	{ "deleted, created, deleted",
	  { { PUSH_DELETE, "/j", "", 0 },
	    { PUSH_PUT, "/j", "n 1\n", 0 },
	    { PUSH_DELETE, "/j", "", 0 },
	    { PUSH_PUT, "/j", "m 1\n", 0 } },
	  { PUSH_POST, "/j", "n 1\n", 0 } },
};

static void fill(struct gateway *g)
{
	gateway_init(g, 4, 20);
	gateway_push(g, PUSH_PUT, "/j", "# HELP a x\na 1\n# TYPE h histogram\nh_count 1\n", 0);
	gateway_push(g, PUSH_PUT, "/j/x/1", "b 1\n", 0);
	gateway_push(g, PUSH_PUT, "/j", REFUSED, ERR_INVALID);
}

START_TEST(rollback_row)
{
	struct gateway g, control;

	fill(&g);
	fill(&control);
	CLEANUP(freep) char *before = exposed(g.store);
	struct store_counts counts = store_counts(g.store);

	for (const struct gateway_push *s = rollbacks[_i].batch; s->path; s++)
		gateway_stage(&g, s);
	/* The database may have been told before it failed. */
	if (_i % 2)
		store_rows(g.store);
	store_rollback(g.store);
	CLEANUP(freep) char *after = exposed(g.store);

	ck_assert_msg(strcmp(before, after) == 0, "%s:\n%s", rollbacks[_i].name, after);
	gateway_check_counts(&g, counts.groups, counts.series);
	control.now = g.now;
	gateway_stage(&control, &rollbacks[_i].next);
	gateway_publish(&control);
	gateway_stage(&g, &rollbacks[_i].next);
	gateway_publish(&g);
	CLEANUP(freep) char *got = exposed(g.store);
	CLEANUP(freep) char *want = exposed(control.store);

	ck_assert_msg(strcmp(got, want) == 0, "%s: got\n%s\nwanted\n%s", rollbacks[_i].name, got,
		      want);
	gateway_done(&g);
	gateway_done(&control);
}
END_TEST

/* Of each push but the last one series remains, and nothing else may: neither help nor messages. */
START_TEST(little_is_left_of_many_pushes)
{
	enum { PUSHES = 60, FAMILIES = 20 };
	uint32_t refs = 0, n = 0;
	struct gateway g;

	gateway_init(&g, 10, 1000);
	for (int push = 0; push < PUSHES; push++) {
		CLEANUP(strbuf_done) struct strbuf body = { 0 };

		for (int i = 0; i < FAMILIES; i++)
			strbuf_addf(&body, "# HELP a%d of %d\n# TYPE a%d histogram\na%d_count 1\n",
				    i, push, i, i);
		strbuf_addf(&body, "b%d %d\n", push, push);
		gateway_push(&g, PUSH_POST, "/j", strbuf_z(&body), 0);
	}
	const struct entry_table *t = &g.store->by_slot[1]->entries;

	ck_assert_uint_eq(t->n, PUSHES + FAMILIES);
	ck_assert_uint_eq(g.store->pages.entries.n, PUSHES + FAMILIES);
	for (uint32_t i = 0; i < t->cap; i++) {
		const struct entry *e = entries_at(t, i) ? store_entry(g.store, entries_at(t, i))
							 : NULL;

		if (!e)
			continue;
		ck_assert_uint_eq(e->record->n_live, e->record->refs);
		n += e->record->n_live == 1;
		if (e->help->given && e->help->refs > refs)
			refs = e->help->refs;
	}
	ck_assert_uint_eq(n, PUSHES - 1);
	ck_assert(refs > 0 && refs <= 2); /* the entry's and the family's */
	gateway_done(&g);
}
END_TEST

/* Up and down through every size of a group's table, a family at a time and all at once. */
START_TEST(wide_groups)
{
	enum { FAMILIES = 300 };
	struct gateway g;

	for (int round = 0; round < 2; round++) {
		CLEANUP(strbuf_done) struct strbuf all = { 0 };

		gateway_init(&g, 10, 10000);
		for (int i = 0; i < FAMILIES; i++) {
			CLEANUP(strbuf_done) struct strbuf one = { 0 };

			strbuf_addf(&one, "w%d %d\n", i * 7 % FAMILIES, i);
			strbuf_adds(&all, strbuf_str(&one));
			if (round)
				gateway_stage(&g, &(struct gateway_push){ PUSH_POST, "/j",
									  strbuf_z(&one), 0 });
			else
				gateway_push(&g, PUSH_POST, "/j", strbuf_z(&one), 0);
		}
		if (round)
			gateway_publish(&g);
		CLEANUP(freep) char *posted = exposed_pushed(g.store);

		gateway_check_counts(&g, 1, FAMILIES + 2);
		gateway_push(&g, PUSH_PUT, "/j", strbuf_z(&all), 0);
		CLEANUP(freep) char *put = exposed_pushed(g.store);

		ck_assert_str_eq(posted, put);
		gateway_push(&g, PUSH_PUT, "/j", "w1 1\n", 0);
		gateway_check_counts(&g, 1, 3);
		gateway_push(&g, PUSH_POST, "/k", "w1 1\n", 0);
		ck_assert_uint_eq(g.store->pages.entries.n, 2);
		gateway_done(&g);
	}
}
END_TEST

/* The last push counts, not the one that says the latest time. */
START_TEST(clock_that_steps_back)
{
	static const struct gateway_push pushes[] = {
		{ PUSH_PUT, "/j", "# HELP a of 100\na 1\n", 0 },
		{ PUSH_POST, "/j", "b 1\n", 0 },
		{ PUSH_PUT, "/j", REFUSED, ERR_INVALID },
		{ PUSH_POST, "/j", "", 0 },
		{ PUSH_PUT, "/j", REFUSED, ERR_INVALID },
		{ PUSH_PUT, "/j/x/1", "# HELP a of 96\na 1\n", 0 },
		{ PUSH_PUT, "/j", "b 1\n", 0 },
	};
	struct gateway g;

	gateway_init(&g, 100, 100);
	for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
		g.now = 100 - (double)i;
		gateway_stage(&g, &pushes[i]);
		gateway_publish(&g);
		check_restarted(&g);
	}
	check_time(g.store, "push_time_seconds", 94, "clock");
	check_time(g.store, "push_failure_time_seconds", 96, "clock");
	gateway_done(&g);
}
END_TEST

/* The last step is refused for the type of a; `published` steps are a batch of their own. */
static const struct {
	const char *name;
	unsigned published;
	struct gateway_push steps[5];
	const char *holder; /* that the refusal names */
} clashes[] = {
	{ "published", 1, { { PUSH_PUT, "/j", "a 1\n", 0 } }, "{job=\"j\"}" },
	{ "of the same batch", 0, { { PUSH_PUT, "/j", "a 1\n", 0 } }, "{job=\"j\"}" },
	{ "the newest of the batch has gone",
	  0,
	  { { PUSH_PUT, "/j", "a 1\n", 0 },
	    { PUSH_PUT, "/k", "a 1\n", 0 },
	    { PUSH_DELETE, "/k", "", 0 } },
	  "{job=\"j\"}" },
	{ "the newest is published and has gone",
	  2,
	  { { PUSH_PUT, "/j", "a 1\n", 0 },
	    { PUSH_PUT, "/k", "a 1\n", 0 },
	    { PUSH_DELETE, "/k", "", 0 } },
	  "{job=\"j\"}" },
	{ "the newest is the pusher's own",
	  2,
	  { { PUSH_PUT, "/k", "a 1\n", 0 }, { PUSH_PUT, "/z", "a 1\n", 0 } },
	  "{job=\"k\"}" },
	{ "the pusher's own is the first that is published",
	  2,
	  { { PUSH_PUT, "/z", "a 1\n", 0 },
	    { PUSH_PUT, "/k", "a 1\n", 0 },
	    { PUSH_PUT, "/j", "b 1\n", 0 },
	    { PUSH_PUT, "/z", "a 2\na{l=\"1\"} 3\n", 0 } },
	  "{job=\"k\"}" },
};

START_TEST(a_clash_names_the_other_group)
{
	const struct gateway_push clash = { PUSH_PUT, "/z", "# TYPE a gauge\na 1\n", ERR_INVALID };
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	struct gateway g;

	gateway_init(&g, 100, 100);
	for (unsigned i = 0; i < 5 && clashes[_i].steps[i].path; i++) {
		gateway_stage(&g, &clashes[_i].steps[i]);
		if (i + 1 == clashes[_i].published)
			gateway_publish(&g);
	}
	gateway_stage(&g, &clash);
	strbuf_addf(&want, "group %s has it as UNTYPED, this push says GAUGE", clashes[_i].holder);
	ck_assert_msg(strstr(g.pushes[g.n - 1]->err.msg, strbuf_z(&want)) != NULL, "%s: %s",
		      clashes[_i].name, g.pushes[g.n - 1]->err.msg);
	gateway_publish(&g);
	gateway_done(&g);
}
END_TEST

/* As when another gateway wipes while this one reads the log to bring something back. */
START_TEST(a_log_that_is_read_stays_so_when_another_store_takes_over)
{
	struct store *s = store_new(&(struct store_limits){ 10, 100 });

	store_undo_reading(s, true);
	store_wipe(s);
	ck_assert(s->undo.reading);
	store_undo_reading(s, false);
	store_wipe(s);
	ck_assert(!s->undo.reading);
	store_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("store_batch");

	tcase_add_loop_test(tc, times_row, 0, (int)ARRAY_LEN(times));
	tcase_add_test(tc, little_is_left_of_many_pushes);
	tcase_add_test(tc, wide_groups);
	tcase_add_loop_test(tc, rollback_row, 0, (int)ARRAY_LEN(rollbacks));
	tcase_add_test(tc, clock_that_steps_back);
	tcase_add_loop_test(tc, a_clash_names_the_other_group, 0, (int)ARRAY_LEN(clashes));
	tcase_add_test(tc, a_log_that_is_read_stays_so_when_another_store_takes_over);
	return run_cases("store_batch", tc);
}
