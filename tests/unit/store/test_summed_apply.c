/*
 * What another gateway makes of rows about summed groups where they are in each other's way: types
 * that change hands between groups, groups that become summed ones and end, families that it has
 * left out. test_summed_model.c does it with one group of each mode.
 */
#include <check.h>
#include <stdio.h>

#include "base/mem.h"
#include "lib/exposed.h"
#include "lib/row_follower.h"
#include "lib/row_writer.h"
#include "lib/run.h"
#include "store/internal.h"
#include "store/summed.h"

static const struct store_limits limits = { 100, 1000 };

static struct store *new_store(void)
{
	struct store *s = store_new(&limits);

	store_keep_digest(s);
	return s;
}

static char *all_of(struct store *s)
{
	struct strbuf b = { 0 };

	exposed_add(s, &b);
	store_state_add(s, &b);
	strbuf_z(&b);
	return b.p;
}

static void check_same(struct store *writer, struct store *other, const char *when)
{
	CLEANUP(freep) char *want = all_of(writer);
	CLEANUP(freep) char *got = all_of(other);
	struct digest of_writer = { 0 }, of_other = { 0 };

	ck_assert_msg(strcmp(got, want) == 0, "%s: the other one\n%sthe writer\n%s", when, got,
		      want);
	ck_assert_int_eq(store_digest(writer, &of_writer), store_digest(other, &of_other));
	ck_assert(digest_same(&of_writer, &of_other));
}

/* What is read at once by the other one is between two "". */
static const struct {
	const char *name;
	const char *writes[12];
} histories[] = {
	{ "a type goes from a summed group to a plain one",
	  { "/j/pid/9|# TYPE stays counter\nstays 1", "/j/pid/1|# TYPE x gauge\nx 1", "",
	    "DELETE /j/pid/1", "/j/pid/2|# TYPE x counter\nx 2", "plain /k|# TYPE x counter\nx 3",
	    "" } },
	{ "from a plain one to a summed one",
	  { "plain /k|# TYPE x gauge\nx 1", "/j/pid/1|y 1", "", "DELETE /k",
	    "/j/pid/2|# TYPE x counter\nx 2", "" } },
	{ "from one summed group to another",
	  { "/j/pid/1|# TYPE x gauge\nx 1", "/k/pid/1|y 1", "", "DELETE /j",
	    "/k/pid/1|# TYPE x counter\nx 2", "/j/pid/1|# TYPE x counter\nx 2", "" } },
	{ "and to one that is written to before it",
	  { "/j/pid/1|# TYPE x gauge\nx 1", "/k/pid/1|y 1", "", "/k/pid/1|y 2", "DELETE /j/pid/1",
	    "/j/pid/2|# TYPE x counter\nx 2", "/k/pid/1|# TYPE x counter\nx 2", "" } },
	{ "a plain group becomes a summed one",
	  { "plain /j|# TYPE x counter\nx 4\n# TYPE g gauge\ng 1", "",
	    "plain /j|# TYPE x counter\nx 5", "/j/pid/1|# TYPE x counter\nx 2", "" } },
	{ "and all of it is read at once",
	  { "plain /j|# TYPE x counter\nx 4", "/j/pid/1|# TYPE x counter\nx 2",
	    "/j/pid/2|# TYPE x counter\nx 2", "" } },
	{ "a summed group ends, and is there again, as a plain one, and as a summed one",
	  { "/j/pid/1|# TYPE x counter\nx 2", "", "DELETE /j", "plain /j|x 3", "", "DELETE /j",
	    "/j/pid/7|x 2", "" } },
	{ "the group of the whole key goes",
	  { "plain /j/pid/1|# TYPE x counter\nx 4", "", "/j/pid/1|# TYPE x counter\nx 4", "" } },
};

START_TEST(what_is_in_each_others_way)
{
	const char *const *writes = histories[_i].writes;
	struct store *writer = new_store();
	struct row_follower other;
	struct mem_storage rows;

	mem_storage_init(&rows);
	row_follower_init(&other, new_store());
	for (int i = 0; writes[i]; i++) {
		if (*writes[i]) {
			rows_write(writer, &rows, writes[i], i + 1);
			continue;
		}
		ck_assert(row_follower_apply(&other, &rows, i + 1));
		check_same(writer, other.store, histories[_i].name);
	}
	store_free(writer);
	row_follower_done(&other);
	mem_storage_done(&rows);
}
END_TEST

static bool shows(struct store *s, const char *line)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	exposed_add(s, &b);
	return strstr(strbuf_z(&b), line) != NULL;
}

/* Two groups in the log contradict each other; the writer has never read that. */
START_TEST(a_family_that_is_left_out_is_no_reason_to_load_the_log_again)
{
	struct store *writer = new_store();
	struct row_follower other;
	struct mem_storage rows;
	struct digest digest;

	mem_storage_init(&rows);
	row_follower_init(&other, new_store());
	rows_write(writer, &rows, "/j/pid/1|# TYPE odd counter\nodd 1\n# TYPE c counter\nc 1", 1);
	rows_write(writer, &rows, "plain /k|# TYPE odx gauge\nodx 1", 2);
	rows_change(&rows, "odx", "odd");
	row_follower_load(&other, &rows, new_store());
	ck_assert_uint_eq(store_counts(other.store).left_out, 1);
	for (int i = 2; i <= 9; i++) {
		char what[100];

		snprintf(what, sizeof(what),
			 "/j/pid/%d|# TYPE odd counter\nodd 1\n# TYPE c counter\nc %d", i, i);
		rows_write(writer, &rows, what, i + 1);
		ck_assert(row_follower_apply(&other, &rows, i + 1));
		ck_assert_uint_eq(store_counts(other.store).left_out, 1);
		ck_assert(!store_digest(other.store, &digest));
	}
	ck_assert(shows(other.store, "c{instance=\"\",job=\"j\"} 45\n"));
	ck_assert(!shows(other.store, "odd{instance=\"\",job=\"j\"}"));
	/* What it contradicts goes; and then it is shown as soon as something is said of it. */
	rows_write(writer, &rows, "DELETE /k", 20);
	rows_write(writer, &rows, "/j/pid/1|# TYPE odd counter\nodd 2\n# TYPE c counter\nc 1", 20);
	ck_assert(row_follower_apply(&other, &rows, 20));
	ck_assert_uint_eq(store_counts(other.store).left_out, 0);
	check_same(writer, other.store, "nothing is left out");
	store_free(writer);
	row_follower_done(&other);
	mem_storage_done(&rows);
}
END_TEST

/* Of 300 sources one pushes: what the 299 others have said is not taken apart and put together. */
START_TEST(what_a_push_says_is_all_that_is_shown_anew)
{
	enum { SOURCES = 300 };
	struct store *writer = new_store();
	struct row_follower other;
	struct mem_storage rows;
	const struct merged_group *before;

	mem_storage_init(&rows);
	row_follower_init(&other, new_store());
	for (int i = 0; i < SOURCES; i++) {
		char what[100];

		snprintf(what, sizeof(what),
			 "/j/pid/%d|# TYPE c counter\nc 1\n# TYPE d counter\nd 1", i);
		rows_write(writer, &rows, what, i + 1);
	}
	ck_assert(row_follower_apply(&other, &rows, SOURCES));
	before = other.store->by_slot[1]->summed->group;
	rows_write(writer, &rows, "/j/pid/7|# TYPE c counter\nc 3", SOURCES + 1);
	ck_assert(row_follower_apply(&other, &rows, SOURCES + 1));
	ck_assert_ptr_eq(other.store->by_slot[1]->summed->group, before);
	check_same(writer, other.store, "followed");
	store_free(writer);
	row_follower_done(&other);
	mem_storage_done(&rows);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("summed_apply");

	tcase_add_loop_test(tc, what_is_in_each_others_way, 0, (int)ARRAY_LEN(histories));
	tcase_add_test(tc, a_family_that_is_left_out_is_no_reason_to_load_the_log_again);
	tcase_add_test(tc, what_a_push_says_is_all_that_is_shown_anew);
	return run_cases("summed_apply", tc);
}
