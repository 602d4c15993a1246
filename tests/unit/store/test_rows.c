/* What the store tells the database, row by row. */
#include <check.h>
#include <stdlib.h>

#include "lib/make_push.h"
#include "lib/run.h"
#include "store/store.h"

struct step {
	enum push_mode mode;
	const char *path, *body;
};

/*
 * `before` are batches of one push each, published; `batch` is one batch, of which `want` are the
 * changes: "+G" a group put, "-G" dropped, "+S row" a segment put, "+W row" a whole one, "+E row"
 * an empty one.
 */
static const struct {
	const char *name;
	struct step before[4], batch[4];
	const char *want;
} rows[] = {
	{ "nothing", { { 0 } }, { { PUSH_DELETE, "/j", "" } }, "" },
	{ "first PUT", { { 0 } }, { { PUSH_PUT, "/j", "a 1\n" } }, "+W 1 +G" },
	{ "first POST", { { 0 } }, { { PUSH_POST, "/j", "a 1\n" } }, "+W 1 +G" },
	{ "first, empty", { { 0 } }, { { PUSH_POST, "/j", "" } }, "+G" },
	{ "first, refused", { { 0 } }, { { PUSH_POST, "/j", "a 1 1\n" } }, "+G" },
	{ "second PUT", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_PUT, "/j", "b 1\n" } }, "+W 2" },
	{ "POST adds to what is there",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_POST, "/j", "b 1\n" } },
	  "+S 2" },
	{ "POST that leaves nothing of it",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_POST, "/j", "a 2\nb 1\n" } },
	  "+W 2" },
	{ "POST of a part",
	  { { PUSH_PUT, "/j", "a 1\nb 1\n" } },
	  { { PUSH_POST, "/j", "a 2\n" } },
	  "+S 2" },
	{ "PUT ends several",
	  { { PUSH_PUT, "/j", "a 1\n" },
	    { PUSH_POST, "/j", "b 1\n" },
	    { PUSH_POST, "/j", "c 1\n" } },
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  "+W 4" },
	{ "emptied", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_PUT, "/j", "" } }, "+E 2 +G" },
	{ "emptied twice",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/j", "" } },
	  { { PUSH_PUT, "/j", "" } },
	  "+G" },
	{ "emptied, then filled",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_PUT, "/j", "" }, { PUSH_POST, "/j", "b 1\n" }, { PUSH_POST, "/j", "c 1\n" } },
	  "+W 2 +S 3" },
	{ "empty POST", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_POST, "/j", "" } }, "+G" },
	{ "refused", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_PUT, "/j", "a 1 1\n" } }, "+G" },
	{ "DELETE", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_DELETE, "/j", "" } }, "+E 2 -G" },
	{ "DELETE of an empty one",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/j", "" } },
	  { { PUSH_DELETE, "/j", "" } },
	  "-G" },
	{ "created and deleted",
	  { { 0 } },
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_DELETE, "/j", "" } },
	  "" },
	{ "deleted and created",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_DELETE, "/j", "" }, { PUSH_POST, "/j", "a 1\n" } },
	  "+W 2" },
	{ "the last of several PUTs",
	  { { 0 } },
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/j", "a 2\n" }, { PUSH_PUT, "/j", "a 3\n" } },
	  "+W 3 +G" },
	{ "several POSTs are written as they came, not by name",
	  { { 0 } },
	  { { PUSH_POST, "/j", "a 1\nb 1\n" }, { PUSH_POST, "/j", "a 2\n" } },
	  "+W 1 +S 2 +G" },
	{ "groups in the order of their pushes",
	  { { 0 } },
	  { { PUSH_POST, "/k", "a 1\n" }, { PUSH_POST, "/j", "a 2\n" } },
	  "+W 1 +W 2 +G +G" },
	{ "other groups are left alone",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/k", "a 1\n" } },
	  { { PUSH_PUT, "/k", "b 1\n" } },
	  "+W 3" },
};

static struct push *push_of(const struct step *s, double now)
{
	return make_push(s->mode, s->path, s->body, now);
}

static void describe(const struct rows *changes, struct strbuf *out)
{
	for (size_t i = 0; i < changes->n; i++) {
		const struct row *c = &changes->list[i];

		if (i > 0)
			strbuf_addc(out, ' ');
		switch (c->kind) {
		case ROW_PUT_GROUP:
			ck_assert(c->group > 0 && c->bytes.n > 0);
			strbuf_addz(out, "+G");
			break;
		case ROW_DROP_GROUP:
			strbuf_addz(out, "-G");
			break;
		case ROW_PUT_SEGMENT:
			ck_assert(c->group > 0 && c->bytes.p && (c->bytes.n > 0 || c->whole));
			strbuf_addf(out, "+%c %llu",
				    c->bytes.n == 0 ? 'E'
				    : c->whole      ? 'W'
						    : 'S',
				    (unsigned long long)c->row);
			break;
		case ROW_MOVE_SEGMENT:
			strbuf_addf(out, "%c%llu>%llu", c->whole ? 'W' : 'S',
				    (unsigned long long)c->from, (unsigned long long)c->row);
			for (uint32_t k = 0; k < c->n_keep; k++) {
				strbuf_addc(out, ',');
				strbuf_adds(out, c->keep[k]);
			}
			break;
		case ROW_TRIM:
			strbuf_addf(out, "<%llu", (unsigned long long)c->row);
			break;
		case ROW_WIPE:
			strbuf_addz(out, "wipe");
			break;
		}
	}
}

START_TEST(changes_row)
{
	struct store *s = store_new(&(struct store_limits){ 100, 1000 });
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct push *pushes[4] = { NULL };
	int now = 1;

	for (const struct step *b = rows[_i].before; b->path; b++, now++) {
		CLEANUP(push_freep) struct push *push = push_of(b, now);

		store_stage(s, push);
		ck_assert_int_eq(push->err.reason, ERR_NONE);
		store_rows(s);
		store_publish(s);
	}
	for (size_t i = 0; i < ARRAY_LEN(pushes) && rows[_i].batch[i].path; i++, now++) {
		pushes[i] = push_of(&rows[_i].batch[i], now);
		store_stage(s, pushes[i]);
	}
	describe(store_rows(s), &got);
	ck_assert_msg(strcmp(strbuf_z(&got), rows[_i].want) == 0, "%s: %s", rows[_i].name,
		      strbuf_z(&got));
	store_publish(s);
	for (size_t i = 0; i < ARRAY_LEN(pushes); i++)
		push_free(pushes[i]);
	store_free(s);
}
END_TEST

/* Later pushes take new numbers: what was wiped may come back when the database fails. */
START_TEST(wipe)
{
	static const struct step push = { PUSH_PUT, "/j", "a 1\n" };
	struct store *s = store_new(&(struct store_limits){ 100, 1000 });
	CLEANUP(strbuf_done) struct strbuf got = { 0 };

	for (int i = 0; i < 2; i++) {
		CLEANUP(push_freep) struct push *p = push_of(&push, i + 1);

		store_stage(s, p);
		describe(store_rows(s), &got);
		store_publish(s);
		strbuf_addc(&got, '|');
		describe(store_wipe_rows(s), &got);
		strbuf_addc(&got, '|');
		store_wipe(s);
	}
	ck_assert_str_eq(strbuf_z(&got), "+W 1 +G|wipe|+W 2 +G|wipe|");
	ck_assert_uint_eq(store_rows(s)->n, 0);
	store_free(s);
}
END_TEST

/* A row for each push, of which the oldest n are looked at. */
static const struct cleaning {
	const char *name;
	struct step before[5];
	unsigned n;
	const char *want;
} cleanings[] = {
	{ "nothing live", { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/j", "a 2\n" } }, 1, "<1" },
	{ "all live", { { PUSH_PUT, "/j", "a 1\n" } }, 1, "W1>2 <1" },
	{ "all of a group moves with its oldest, in its order",
	  { { PUSH_PUT, "/j", "a 1\n" },
	    { PUSH_PUT, "/k", "a 1\n" },
	    { PUSH_POST, "/j", "b 1\n" },
	    { PUSH_POST, "/j", "A 1\n" } },
	  1,
	  "W1>5 S3>6 S4>7 <1" },
	{ "once",
	  { { PUSH_PUT, "/j", "a 1\n" },
	    { PUSH_POST, "/j", "b 1\n" },
	    { PUSH_PUT, "/k", "a 1\n" } },
	  3,
	  "W1>4 S2>5 W3>6 <3" },
	{ "what is live of it",
	  { { PUSH_PUT, "/j", "a 1\nb 1\nc 1\n" }, { PUSH_POST, "/j", "b 2\n" } },
	  1,
	  "W1>3,a,c S2>4 <1" },
	{ "of a group that is gone",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_DELETE, "/j", "" } },
	  2,
	  "<2" },
};

static struct store *filled(const struct step *steps)
{
	struct store *s = store_new(&(struct store_limits){ 100, 1000 });

	for (int now = 1; steps->path; steps++, now++) {
		CLEANUP(push_freep) struct push *push = push_of(steps, now);

		store_stage(s, push);
		store_rows(s);
		store_publish(s);
	}
	return s;
}

static void clean(struct store *s, const struct cleaning *c, struct strbuf *out)
{
	for (unsigned row = 1; row <= c->n; row++)
		store_clean_row(s, row, strcmp(c->before[row - 1].path, "/k") ? 1 : 2, 10);
	describe(store_clean_rows(s), out);
	strbuf_z(out);
}

START_TEST(cleaning_row)
{
	struct store *s = filled(cleanings[_i].before);
	CLEANUP(strbuf_done) struct strbuf got = { 0 };

	clean(s, &cleanings[_i], &got);
	ck_assert_msg(strcmp(strbuf_z(&got), cleanings[_i].want) == 0, "%s: %s", cleanings[_i].name,
		      strbuf_z(&got));
	store_clean_end(s, true);
	store_publish(s);
	store_free(s);
}
END_TEST

/* After a failure the same is to be done, with other numbers. */
START_TEST(failed_cleaning_row)
{
	struct store *s = filled(cleanings[_i].before);
	CLEANUP(strbuf_done) struct strbuf first = { 0 };
	CLEANUP(strbuf_done) struct strbuf second = { 0 };

	clean(s, &cleanings[_i], &first);
	store_clean_end(s, false);
	clean(s, &cleanings[_i], &second);
	store_clean_end(s, true);
	store_publish(s);
	ck_assert_uint_gt(first.n, 0);
	for (size_t i = 0, k = 0; i < first.n; i++, k++) {
		ck_assert_int_eq(first.p[i], second.p[k]);
		if (first.p[i] != '>')
			continue;
		i += strspn(first.p + i + 1, "0123456789");
		k += strspn(second.p + k + 1, "0123456789");
	}
	store_free(s);
}
END_TEST

/* Pushes of 100 kB that replace each other, until the log is so many times as long. */
static const struct {
	bool idle;
	unsigned min, max;
} due[] = { { true, 20, 26 }, { false, 23, 28 } };

START_TEST(cleaning_is_due)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct store *s = store_new(&(struct store_limits){ 100, 1000 });
	unsigned n = 0;

	for (int i = 0; i < 20; i++)
		strbuf_addf(&body, "a{x=\"%05000d\"} 1\n", i);
	for (; store_clean_due(s, due[_i].idle) == 0 && n < 200; n++) {
		CLEANUP(push_freep)
		struct push *push = make_push(PUSH_PUT, "/j", strbuf_z(&body), n + 1);

		store_stage(s, push);
		store_rows(s);
		store_publish(s);
	}
	ck_assert_msg(n >= due[_i].min && n <= due[_i].max, "after %u", n);
	ck_assert_uint_gt(store_clean_due(s, true), 450000);
	for (unsigned row = 1; row < n; row++)
		store_clean_row(s, row, 1, 100000);
	store_clean_rows(s);
	store_clean_end(s, true);
	store_publish(s);
	ck_assert_uint_eq(store_clean_due(s, true), 0);
	store_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("changes");

	tcase_add_loop_test(tc, changes_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, wipe);
	tcase_add_loop_test(tc, cleaning_row, 0, (int)ARRAY_LEN(cleanings));
	tcase_add_loop_test(tc, failed_cleaning_row, 0, (int)ARRAY_LEN(cleanings));
	tcase_add_loop_test(tc, cleaning_is_due, 0, (int)ARRAY_LEN(due));
	return run_cases("changes", tc);
}
