/* What the store tells the database, row by row. */
#include <check.h>
#include <stdlib.h>

#include "lib/make_push.h"
#include "store/store.h"

struct step {
	enum push_mode mode;
	const char *path, *body; /* '@' in a body: a value of 5,000 bytes */
};

/*
 * `before` are batches of one push each, published; `batch` is one batch, of which `want` are the
 * changes: "+G" a group put, "-G" dropped, "+S row.seq" a segment put, "-S row" dropped,
 * "~S row names" shrunk to these.
 */
static const struct {
	const char *name;
	struct step before[4], batch[4];
	const char *want;
} rows[] = {
	{ "nothing", { { 0 } }, { { PUSH_DELETE, "/j", "" } }, "" },
	{ "first PUT", { { 0 } }, { { PUSH_PUT, "/j", "a 1\n" } }, "+S 1.1 +G" },
	{ "first, empty", { { 0 } }, { { PUSH_POST, "/j", "" } }, "+G" },
	{ "first, refused", { { 0 } }, { { PUSH_POST, "/j", "a 1 1\n" } }, "+G" },
	{ "second PUT takes the row of the first",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_PUT, "/j", "b 1\n" } },
	  "+S 1.2" },
	{ "POST adds a row",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_POST, "/j", "b 1\n" } },
	  "+S 2.2" },
	{ "POST of the same takes the row",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_POST, "/j", "a 2\nb 1\n" } },
	  "+S 1.2" },
	{ "POST of a part leaves it",
	  { { PUSH_PUT, "/j", "a 1\nb 1\n" } },
	  { { PUSH_POST, "/j", "a 2\n" } },
	  "+S 2.2" },
	{ "PUT takes one of several rows",
	  { { PUSH_PUT, "/j", "a 1\n" },
	    { PUSH_POST, "/j", "b 1\n" },
	    { PUSH_POST, "/j", "c 1\n" } },
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  "-S 1 -S 2 +S 3.4" },
	{ "emptied", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_PUT, "/j", "" } }, "-S 1 +G" },
	{ "empty POST", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_POST, "/j", "" } }, "+G" },
	{ "refused", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_PUT, "/j", "a 1 1\n" } }, "+G" },
	{ "DELETE", { { PUSH_PUT, "/j", "a 1\n" } }, { { PUSH_DELETE, "/j", "" } }, "-S 1 -G" },
	{ "created and deleted",
	  { { 0 } },
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_DELETE, "/j", "" } },
	  "" },
	{ "deleted and created",
	  { { PUSH_PUT, "/j", "a 1\n" } },
	  { { PUSH_DELETE, "/j", "" }, { PUSH_PUT, "/j", "a 1\n" } },
	  "+S 1.2" },
	{ "the last of several PUTs",
	  { { 0 } },
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/j", "a 2\n" }, { PUSH_PUT, "/j", "a 3\n" } },
	  "+S 1.3 +G" },
	{ "several POSTs are numbered as they came, not by name",
	  { { 0 } },
	  { { PUSH_POST, "/j", "a 1\nb 1\n" }, { PUSH_POST, "/j", "a 2\n" } },
	  "+S 1.2 +S 2.1 +G" },
	{ "a little that is dead stays",
	  { { PUSH_PUT, "/j", "a{x=\"@\"} 1\nb 1\nc 1\n" } },
	  { { PUSH_POST, "/j", "b 2\n" } },
	  "+S 2.2" },
	{ "much that is dead goes",
	  { { PUSH_PUT, "/j", "a{x=\"@\"} 1\nb 1\nc 1\n" } },
	  { { PUSH_POST, "/j", "a 2\n" } },
	  "+S 2.2 ~S 1 b c" },
	{ "but not when as much is alive",
	  { { PUSH_PUT, "/j", "a{x=\"@\"} 1\nb{x=\"@\"} 1\n" } },
	  { { PUSH_POST, "/j", "a 2\n" } },
	  "+S 2.2" },
	{ "and not twice",
	  { { PUSH_PUT, "/j", "a{x=\"@\"} 1\nb 1\nc 1\n" }, { PUSH_POST, "/j", "a 2\n" } },
	  { { PUSH_POST, "/j", "b 2\n" } },
	  "+S 3.3" },
	{ "other groups are left alone",
	  { { PUSH_PUT, "/j", "a 1\n" }, { PUSH_PUT, "/k", "a 1\n" } },
	  { { PUSH_PUT, "/k", "b 1\n" } },
	  "+S 2.3" },
};

static struct push *push_of(const struct step *s, double now)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	for (const char *p = s->body; *p; p++) {
		if (*p != '@')
			strbuf_addc(&body, *p);
		else
			strbuf_addf(&body, "%0*d", 5000, 0);
	}
	return make_push(s->mode, s->path, strbuf_z(&body), now);
}

static void describe(const struct changes *changes, struct strbuf *out)
{
	for (size_t i = 0; i < changes->n; i++) {
		const struct change *c = &changes->list[i];

		if (i > 0)
			strbuf_addc(out, ' ');
		switch (c->kind) {
		case CHANGE_PUT_GROUP:
			ck_assert(c->group > 0 && c->bytes.n > 0);
			strbuf_addz(out, "+G");
			break;
		case CHANGE_DROP_GROUP:
			strbuf_addz(out, "-G");
			break;
		case CHANGE_PUT_SEGMENT:
			ck_assert(c->group > 0 && c->bytes.n > 0 && c->pushed_at > 0);
			strbuf_addf(out, "+S %llu.%llu", (unsigned long long)c->row,
				    (unsigned long long)c->seq);
			break;
		case CHANGE_DROP_SEGMENT:
			strbuf_addf(out, "-S %llu", (unsigned long long)c->row);
			break;
		case CHANGE_SHRINK_SEGMENT:
			strbuf_addf(out, "~S %llu", (unsigned long long)c->row);
			for (uint32_t k = 0; k < c->n_keep; k++) {
				strbuf_addc(out, ' ');
				strbuf_adds(out, c->keep[k]);
			}
			break;
		case CHANGE_WIPE:
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
		ck_assert_int_eq(push->err.status, 0);
		store_changes(s);
		store_publish(s);
	}
	for (size_t i = 0; i < ARRAY_LEN(pushes) && rows[_i].batch[i].path; i++, now++) {
		pushes[i] = push_of(&rows[_i].batch[i], now);
		store_stage(s, pushes[i]);
	}
	describe(store_changes(s), &got);
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
		describe(store_changes(s), &got);
		store_publish(s);
		strbuf_addc(&got, '|');
		describe(store_wipe_changes(s), &got);
		strbuf_addc(&got, '|');
		store_wipe(s);
	}
	ck_assert_str_eq(strbuf_z(&got), "+S 1.1 +G|wipe|+S 2.2 +G|wipe|");
	ck_assert_uint_eq(store_changes(s)->n, 0);
	store_free(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("changes");
	TCase *tc = tcase_create("changes");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, changes_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, wipe);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
