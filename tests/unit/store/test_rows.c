/* What the store tells the database, row by row. */
#include <check.h>
#include <stdlib.h>

#include "lib/gateway.h"
#include "lib/make_push.h"
#include "lib/run.h"
#include "store/store.h"

struct step {
	enum push_mode mode;
	const char *path, *body;
};

/*
 * `before` are batches of one push each, published; `batch` is one batch, of which `want` are the
 * rows: "G1" a group is made by row 1, "R2/1 a,b" is a record of that group with two families, "W"
 * one that replaces it whole, "F" a refused push, "E" its end; "2>R5/1 a" is row 2 moved, "<3"
 * trims.
 */
static const struct {
	const char *name;
	struct step before[4], batch[5];
	const char *want;
} rows[] = {
	{ "nothing", { { 0 } }, { { PUSH_DELETE, "/j", "" } }, "" },
	{ "first PUT", { { 0 } }, { { PUSH_PUT, "/j", "a 1\n" } }, "G1 R2/1 a" },
	{ "first POST", { { 0 } }, { { PUSH_POST, "/j", "a 1\n" } }, "G1 R2/1 a" },
	{ "first, empty", { { 0 } }, { { PUSH_POST, "/j", "" } }, "G1 R2/1" },
	{ "first, refused", { { 0 } }, { { PUSH_POST, "/j", "a 1 1\n" } }, "G1 F2/1" },
	{ "second PUT",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_PUT, "/j", "b 1\n" } },
	  "W3/1 b" },
	{ "POST adds to what is there",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_POST, "/j", "b 1\n" } },
	  "R3/1 b" },
	{ "POST that leaves nothing of it",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_POST, "/j", "a 2\nb 1\n" } },
	  "W3/1 a,b" },
	{ "POST of a part",
	  { { PUSH_PUT, "/j", "a 1\nb 1\n" } },
	  { { PUSH_POST, "/j", "a 2\n" } },
	  "R3/1 a" },
	{ "PUT ends several",
	  { { PUSH_PUT, "/j", "a 1\n" },
	    { PUSH_POST, "/j", "b 1\n" },
	    { PUSH_POST, "/j", "c 1\n" } },
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  "W5/1 a" },
	{ "emptied", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_PUT, "/j", "" } }, "W3/1" },
	{ "emptied twice",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/j", "" } },
	  { { PUSH_PUT, "/j", "" } },
	  "R4/1" },
	{ "emptied, then filled",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_PUT, "/j", "" }, { PUSH_POST, "/j", "b 1\n" }, { PUSH_POST, "/j", "c 1\n" } },
	  "W3/1 b R4/1 c" },
	{ "filled, then emptied",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_POST, "/j", "b 1\n" }, { PUSH_PUT, "/j", "" } },
	  "W3/1" },
	{ "empty POST", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_POST, "/j", "" } }, "R3/1" },
	{ "refused", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_PUT, "/j", "a 1 1\n" } }, "F3/1" },
	{ "refused twice",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_PUT, "/j", "a 1 1\n" }, { PUSH_PUT, "/j", "b 1 1\n" } },
	  "F3/1" },
	{ "DELETE", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_DELETE, "/j", "" } }, "E3/1" },
	{ "DELETE of an empty one",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/j", "" } },
	  { { PUSH_DELETE, "/j", "" } },
	  "E4/1" },
	{ "created and deleted",
	  { { 0 } },
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_DELETE, "/j", "" } },
	  "" },
	{ "deleted and created: another group",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_DELETE, "/j", "" }, { PUSH_POST, "/j", "a 1\n" } },
	  "E3/1 G4 R5/4 a" },
	{ "deleted, created, deleted, created",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_DELETE, "/j", "" },
	    { PUSH_PUT, "/j", "a 1 1\n" },
	    { PUSH_DELETE, "/j", "" },
	    { PUSH_POST, "/j", "b 1\n" } },
	  "E3/1 G4 R5/4 b" },
	{ "pushed to and deleted",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_POST, "/j", "b 1\n" }, { PUSH_DELETE, "/j", "" } },
	  "E3/1" },
	{ "the last of several PUTs",
	  { { 0 } },
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/j", "a 2\n" }, { PUSH_PUT, "/j", "a 3\n" } },
	  "G1 R2/1 a" },
	{ "several POSTs are written as they came, not by name",
	  { { 0 } },
	  { { PUSH_POST, "/j", "a 1\nb 1\n" }, { PUSH_POST, "/j", "a 2\n" } },
	  "G1 R2/1 a,b R3/1 a" },
	{ "in the order of the pushes, whatever their groups",
	  { { 0 } },
	  { { PUSH_POST, "/k", "a 1\n" },
	    { PUSH_POST, "/j", "a 2\n" },
	    { PUSH_POST, "/k", "b 1 1\n" },
	    { PUSH_POST, "/k", "c 1\n" } },
	  "G1 R2/1 a G3 R4/3 a F5/1 R6/1 c" },
	{ "other groups are left alone",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/k", "a 1\n" } },
	  { { PUSH_PUT, "/k", "b 1\n" } },
	  "W5/3 b" },
};

static void describe_families(struct str body, struct strbuf *out)
{
	struct str message, name;
	size_t at = 0;

	for (char sep = ' '; row_next_family(body, &at, &message, &name) == 1; sep = ',') {
		strbuf_addc(out, sep);
		strbuf_adds(out, name);
	}
}

static void describe(const struct rows *list, struct strbuf *out)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct row *row = &list->list[i];

		ck_assert_int_eq(row_verdict(row), ROW_INTACT);
		if (i > 0)
			strbuf_addc(out, ' ');
		if (row->from)
			strbuf_addf(out, "%llu>", (unsigned long long)row->from);
		strbuf_addf(out, "%c%llu", " GRWFE*"[row->kind], (unsigned long long)row -> number);
		if (row->group != row->number)
			strbuf_addf(out, "/%llu", (unsigned long long)row->group);
		if (row->kind == ROW_RECORD || row->kind == ROW_WHOLE)
			describe_families(row->body, out);
	}
	if (list->trim)
		strbuf_addf(out, " <%llu", (unsigned long long)list->trim);
}

START_TEST(rows_of_a_batch)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (const struct step *b = rows[_i].before; b->path; b++)
		gateway_push(&g, b->mode, b->path, b->body, ERR_NONE);
	for (const struct step *b = rows[_i].batch; b->path; b++)
		gateway_stage(&g, &(struct gateway_push){ b->mode, b->path, b->body,
							  strstr(b->body, "1 1") ? ERR_INVALID
										 : ERR_NONE });
	/* Asked twice, they are the same. */
	describe(store_rows(g.store), &got);
	got.n = 0;
	store_clean_end(g.store, false);
	describe(store_rows(g.store), &got);
	ck_assert_msg(strcmp(strbuf_z(&got), rows[_i].want) == 0, "%s: %s", rows[_i].name,
		      strbuf_z(&got));
	store_publish(g.store);
	gateway_done(&g);
}
END_TEST

/* Numbers go on: what was wiped is there until it is trimmed. */
START_TEST(wipe)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (int i = 0; i < 2; i++) {
		gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", "a 1\n", ERR_NONE });
		describe(store_rows(g.store), &got);
		store_publish(g.store);
		strbuf_addc(&got, '|');
		describe(store_wipe_rows(g.store, 9), &got);
		strbuf_addc(&got, '|');
		store_wipe(g.store);
	}
	ck_assert_str_eq(strbuf_z(&got), "G1 R2/1 a|*3/0|G4 R5/4 a|*6/0|");
	ck_assert_uint_eq(store_rows(g.store)->n, 0);
	gateway_done(&g);
}
END_TEST

/* A failed batch takes no numbers. */
START_TEST(no_gaps)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (int i = 0; i < 3; i++) {
		gateway_stage(&g, &(struct gateway_push){ PUSH_PUT, "/j", "a 1\n", ERR_NONE });
		describe(store_rows(g.store), &got);
		store_rollback(g.store);
	}
	gateway_push(&g, PUSH_PUT, "/j", "a 1\n", ERR_NONE);
	ck_assert_str_eq(strbuf_z(&got), "G1 R2/1 aG1 R2/1 aG1 R2/1 a");
	ck_assert_uint_eq(g.rows.n_rows, 2);
	gateway_done(&g);
}
END_TEST

/* A push for each, of which so many bytes of the oldest rows are looked at. */
static const struct cleaning {
	const char *name;
	struct step before[6];
	unsigned n; /* rows */
	const char *want;
} cleanings[] = {
	{ "the group is there, the record is not live",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/j", "a 2\n" } },
	  2,
	  "1>G4/1 <2" },
	{ "all live, and the newest row stays",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/k", "a 1\n" } },
	  9,
	  "1>G5/1 2>R6/1 a 3>G7/3 <3" },
	{ "what is live of it",
	  { { PUSH_PUT, "/j", "a 1\nb 1\nc 1\n" }, { PUSH_POST, "/j", "b 2\n" } },
	  2,
	  "1>G4/1 2>R5/1 a,c <2" },
	{ "one that had replaced the group is then like any other",
	  { { PUSH_PUT, "/j", "a 1\n" },
	    { PUSH_PUT, "/j", "b 1\n" },
	    { PUSH_POST, "/j", "c 1\n" } },
	  3,
	  "1>G5/1 3>R6/1 b <3" },
	{ "the times of the group",
	  { { PUSH_PUT, "/j", "a 1 1\n" },
	    { PUSH_PUT, "/j", "a 2 1\n" },
	    { PUSH_PUT, "/j", "" },
	    { PUSH_PUT, "/k", "" } },
	  4,
	  "1>G7/1 3>F8/1 4>R9/1 <4" },
	{ "of a group that has ended",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_DELETE, "/j", "" }, { PUSH_PUT, "/j", "a 1\n" } },
	  4,
	  "4>G6/4 <4" },
};

static void fill(struct gateway *g, const struct step *steps)
{
	gateway_init(g, 100, 1000);
	for (; steps->path; steps++)
		gateway_push(g, steps->mode, steps->path, steps->body,
			     strstr(steps->body, " 1\n") && strlen(steps->body) == 6 ? ERR_INVALID
										     : ERR_NONE);
}

static void clean(struct gateway *g, unsigned n, struct strbuf *out)
{
	struct err err;

	for (unsigned i = 0; i < n && i < g->rows.n_rows; i++)
		if (store_clean_look(g->store, &g->rows.rows[i]))
			ck_assert_int_eq(store_clean_row(g->store, &g->rows.rows[i], &err), 0);
	out->n = 0;
	store_clean_rows(g->store);
	describe(store_rows(g->store), out);
	strbuf_z(out);
}

/* After a failure the same is to be done, with the same numbers. */
START_TEST(rows_of_cleaning)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct gateway g;

	fill(&g, cleanings[_i].before);
	for (int i = 0; i < 2; i++) {
		clean(&g, cleanings[_i].n, &got);
		ck_assert_msg(strcmp(strbuf_z(&got), cleanings[_i].want) == 0, "%s: %s",
			      cleanings[_i].name, strbuf_z(&got));
		store_clean_end(g.store, i == 1);
	}
	store_publish(g.store);
	gateway_done(&g);
}
END_TEST

/*
 * A large push that a later one has superseded is not read, and a small one to the same group is:
 * its few families are looked up sooner than all entries of the group. If the last push has all of
 * them, none of the others is.
 */
START_TEST(large_rows_are_not_read_in_vain)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct gateway g;

	gateway_init(&g, 100, 10000);
	for (unsigned i = 0; i < 1000; i++)
		strbuf_addf(&body, "family_%u 1\n", i);
	gateway_push(&g, PUSH_PUT, "/j", strbuf_z(&body), ERR_NONE);
	gateway_push(&g, PUSH_POST, "/j", "small 1\n", ERR_NONE);
	for (int i = 0; i < 2; i++)
		gateway_push(&g, PUSH_PUT, "/j", strbuf_z(&body), ERR_NONE);
	ck_assert_uint_eq(g.rows.n_rows, 5);
	for (int last_has_all = 1; last_has_all >= 0; last_has_all--) {
		ck_assert(store_clean_look(g.store, &g.rows.rows[0])); /* the group */
		ck_assert(!store_clean_look(g.store, &g.rows.rows[1]));
		ck_assert(store_clean_look(g.store, &g.rows.rows[2]) == !last_has_all);
		ck_assert(!store_clean_look(g.store, &g.rows.rows[3]));
		store_clean_end(g.store, false);
		gateway_push(&g, PUSH_POST, "/j", "other 1\n", ERR_NONE);
	}
	gateway_done(&g);
}
END_TEST

START_TEST(cleaning_of_what_is_not_ours)
{
	struct row row = { .kind = ROW_RECORD, .number = 1, .group = 1, .body = STR("\xFF") };
	struct err err = { 0 };
	struct gateway g;

	gateway_init(&g, 100, 1000);
	gateway_push(&g, PUSH_PUT, "/j", "a 1\n", ERR_NONE);
	ck_assert_int_eq(store_clean_row(g.store, &row, &err), -1);
	ck_assert_str_eq(err.msg, "row 1 of the log cannot be read");
	store_clean_end(g.store, false);
	gateway_done(&g);
}
END_TEST

/* Pushes of so many bytes that replace each other, until the log is so many times as long. */
static const struct {
	enum clean_when when;
	unsigned bytes, min, max;
} due[] = {
	{ CLEAN_IDLE, 100000, 6, 8 }, { CLEAN_BUSY, 100000, 9, 12 }, { CLEAN_IDLE, 2000, 32, 40 },
	{ CLEAN_BUSY, 2000, 34, 42 }, { CLEAN_IDLE, 2000000, 3, 4 }, { CLEAN_BUSY, 2000000, 7, 9 },
	{ CLEAN_FULL, 100000, 2, 2 }, { CLEAN_FULL, 2000, 30, 36 },
};

START_TEST(cleaning_is_due)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct err err;
	struct gateway g;
	unsigned n = 0;

	gateway_init(&g, 100, 100000);
	for (unsigned i = 0; i < due[_i].bytes / 1000; i++)
		strbuf_addf(&body, "a{x=\"%0970u\"} 1\n", i);
	for (; store_clean_due(g.store, due[_i].when) == 0 && n < 200; n++)
		gateway_push(&g, PUSH_PUT, "/j", strbuf_z(&body), ERR_NONE);
	ck_assert_msg(n >= due[_i].min && n <= due[_i].max, "after %u", n);
	ck_assert_int_eq(storage_clean(&g.rows.base, g.store, UINT64_MAX, &err), 0);
	store_clean_rows(g.store);
	store_rows(g.store);
	store_clean_end(g.store, true);
	store_publish(g.store);
	ck_assert_uint_eq(store_clean_due(g.store, CLEAN_IDLE), 0);
	gateway_done(&g);
}
END_TEST

/* A full disk has no room for a step: smaller ones are tried before cleaning rests. */
START_TEST(steps_become_smaller)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	uint64_t step, before = UINT64_MAX;
	struct gateway g;
	struct err err;

	gateway_init(&g, 100, 100000);
	for (unsigned i = 0; i < 400; i++)
		strbuf_addf(&body, "a{x=\"%0970u\"} 1\n", i);
	for (unsigned n = 0; n < 20; n++)
		gateway_push(&g, PUSH_PUT, "/j", strbuf_z(&body), ERR_NONE);
	for (bool smaller = true; smaller; before = step) {
		step = store_clean_due(g.store, CLEAN_BUSY);
		ck_assert_msg(step > 0 && step < before, "%llu", (unsigned long long)step);
		ck_assert_int_eq(storage_clean(&g.rows.base, g.store, step, &err), 0);
		store_clean_rows(g.store);
		smaller = store_clean_put_off(g.store);
	}
	ck_assert_uint_eq(before, 1);
	ck_assert_uint_eq(store_clean_due(g.store, CLEAN_FULL), 1);
	store_clean_end(g.store, false);
	ck_assert_uint_eq(store_clean_due(g.store, CLEAN_BUSY), 0);
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("rows");

	tcase_add_loop_test(tc, rows_of_a_batch, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, wipe);
	tcase_add_test(tc, no_gaps);
	tcase_add_loop_test(tc, rows_of_cleaning, 0, (int)ARRAY_LEN(cleanings));
	tcase_add_test(tc, cleaning_of_what_is_not_ours);
	tcase_add_test(tc, large_rows_are_not_read_in_vain);
	tcase_add_loop_test(tc, cleaning_is_due, 0, (int)ARRAY_LEN(due));
	tcase_add_test(tc, steps_become_smaller);
	return run_cases("rows", tc);
}
