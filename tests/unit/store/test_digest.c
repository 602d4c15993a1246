/*
 * The digest of a state (store/digest.h): the same for all who have the same rows, however they
 * came to have them, and another one wherever anything differs that follows from the rows.
 * test_store_model.c and test_summed_model.c compare digests after each of their steps.
 */
#include <check.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/load.h"
#include "lib/row_follower.h"
#include "lib/row_writer.h"
#include "lib/run.h"
#include "lib/sum_push.h"
#include "store/internal.h"

static struct store *new_store(void)
{
	struct store *s = store_new(&(struct store_limits){ 100, 1000 });

	store_keep_digest(s);
	return s;
}

static struct digest digest_of_store(const struct store *s)
{
	struct digest d;

	ck_assert(store_digest(s, &d));
	return d;
}

static struct digest digest_of_log(struct mem_storage *rows)
{
	struct store *s = new_store();
	struct err err = { 0 };
	struct digest d;

	ck_assert_msg(load_store(&rows->base, s, &err) == STORAGE_LOADED, "%s", err.msg);
	d = digest_of_store(s);
	store_free(s);
	return d;
}

/* Something of each kind of row. */
static const char *const writes[] = {
	"plain /plain|# HELP a about a\n# TYPE a gauge\na{x=\"left\"} 17\na 2",
	"plain /plain2|# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2",
	"refused plain /plain|# TYPE h counter\nh 1",
	"/sum/pid/1|# HELP c about c\n# TYPE c counter\nc{x=\"right\"} 19",
	"/sum/pid/2|# TYPE c counter\nc{x=\"right\"} 23\n# TYPE g gauge\ng 29",
	"/sum/pid/2|# TYPE c counter\nc{x=\"right\"} 24\n# TYPE g gauge\ng 30",
	"plain /plain|# HELP a about a\n# TYPE a gauge\na{x=\"left\"} 18\na 2",
	"DELETE /plain2",
	"refused plain /plain|# TYPE c gauge\nc 1",
	"/sum/pid/1/__final__/1|# HELP c about c\n# TYPE c counter\nc{x=\"right\"} 20",
};

static void write_all(struct store *s, struct mem_storage *rows)
{
	for (size_t i = 0; i < ARRAY_LEN(writes); i++)
		rows_write(s, rows, writes[i], (double)(1000 + i));
}

static void clean(struct store *s, struct mem_storage *rows)
{
	struct err err;

	ck_assert_int_eq(storage_clean(&rows->base, s, UINT64_MAX, &err), 0);
	store_clean_rows(s);
	ck_assert_int_eq(rows->base.ops->commit(&rows->base, store_rows(s), &err),
			 STORAGE_COMMITTED);
	store_clean_end(s, true);
	store_publish(s);
}

START_TEST(the_way_to_a_state_does_not_count)
{
	struct store *writer = new_store();
	struct row_follower each, last;
	struct mem_storage rows;
	struct digest d, of_other;

	mem_storage_init(&rows);
	row_follower_init(&each, new_store());
	row_follower_init(&last, new_store());
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		rows_write(writer, &rows, writes[i], (double)(1000 + i));
		ck_assert(row_follower_apply(&each, &rows, (double)(1000 + i)));
		d = digest_of_store(writer);
		of_other = digest_of_store(each.store);
		ck_assert_msg(digest_same(&d, &of_other), "%s", writes[i]);
		of_other = digest_of_log(&rows);
		ck_assert_msg(digest_same(&d, &of_other), "%s, and a restart", writes[i]);
	}
	ck_assert(row_follower_apply(&last, &rows, 2000));
	of_other = digest_of_store(last.store);
	ck_assert(digest_same(&d, &of_other));
	clean(writer, &rows);
	of_other = digest_of_store(writer);
	ck_assert(digest_same(&d, &of_other));
	of_other = digest_of_log(&rows);
	ck_assert(digest_same(&d, &of_other));
	store_free(writer);
	row_follower_done(&each);
	row_follower_done(&last);
	mem_storage_done(&rows);
}
END_TEST

/* The bytes of one are put in place of the other's in the log. */
static const struct {
	const char *what, *from, *to;
	double at; /* or: of the row of a kind, another time */
	enum row_kind kind;
} differences[] = {
	{ .what = "a label", .from = "left", .to = "lift" },
	{ .what = "a value", .from = "\x32\x40", .to = "\x33\x40" },
	{ .what = "a help text", .from = "about a", .to = "above a" },
	{ .what = "a key", .from = "plain", .to = "plane" },
	{ .what = "a reason", .from = "this push says", .to = "that push says" },
	{ .what = "when a push was refused", .at = 5, .kind = ROW_FAILED },
	{ .what = "when a push was accepted", .at = 5, .kind = ROW_WHOLE },
	{ .what = "a label of a summed group", .from = "right", .to = "light" },
	{ .what = "its help text", .from = "about c", .to = "above c" },
	{ .what = "what a source has said", .from = "\x38\x40", .to = "\x39\x40" },
	{ .what = "what a source has said last", .from = "\x3E\x40", .to = "\x3F\x40" },
	{ .what = "what is in the base", .from = "\x50", .to = "\x60" },
};

static void change(struct mem_storage *rows, int i)
{
	if (differences[i].from) {
		rows_change(rows, differences[i].from, differences[i].to);
		return;
	}
	for (size_t k = 0; k < rows->n_rows; k++)
		if (rows->rows[k].kind == differences[i].kind) {
			rows->rows[k].at += differences[i].at;
			rows->rows[k].checksum = row_checksum(&rows->rows[k]);
		}
}

START_TEST(each_difference_counts)
{
	struct store *writer = new_store();
	struct mem_storage rows;
	struct digest before, after;

	mem_storage_init(&rows);
	write_all(writer, &rows);
	before = digest_of_log(&rows);
	change(&rows, _i);
	after = digest_of_log(&rows);
	ck_assert_msg(!digest_same(&before, &after), "%s", differences[_i].what);
	store_free(writer);
	mem_storage_done(&rows);
}
END_TEST

/* New series show zeros until a row says that they show their counts, whoever looks when. */
START_TEST(what_is_shown_follows_from_rows)
{
	struct group_options rule = { .has_zero_first = true,
				      .zero_first_ns = 30 * INT64_C(1000000000) };
	struct store *writer = new_store();
	struct mem_storage rows;
	struct digest d, later;
	struct err err;

	clock_hold(INT64_C(1000000000000), INT64_C(1000000000000));
	sum_push_rule(&rule);
	mem_storage_init(&rows);
	rows_write(writer, &rows, "/sum/pid/1|# TYPE c counter\nc 19", 1000);
	d = digest_of_store(writer);
	clock_hold(INT64_C(1060000000000), INT64_C(1060000000000));
	later = digest_of_log(&rows);
	ck_assert(digest_same(&d, &later));
	store_stage_due(writer, clock_mono_ns(), 1060, 10);
	ck_assert_int_eq(rows.base.ops->commit(&rows.base, store_rows(writer), &err),
			 STORAGE_COMMITTED);
	store_publish(writer);
	later = digest_of_store(writer);
	ck_assert_uint_ne(d.shown, later.shown);
	d = digest_of_log(&rows);
	ck_assert(digest_same(&d, &later));
	/* When the rule has gone, all of it counts. */
	sum_push_rule(NULL);
	rows_write(writer, &rows, "/sum/pid/2|# TYPE d counter\nd 1", 1061);
	d = digest_of_store(writer);
	later = digest_of_log(&rows);
	ck_assert(digest_same(&d, &later));
	ck_assert_uint_ne(d.shown, 0);
	store_free(writer);
	mem_storage_done(&rows);
}
END_TEST

START_TEST(a_row_says_it)
{
	struct store *writer = new_store();
	struct mem_storage rows;
	struct digest d, said;
	struct err err;

	mem_storage_init(&rows);
	write_all(writer, &rows);
	d = digest_of_store(writer);
	store_put_digest(writer);
	ck_assert_int_eq(rows.base.ops->commit(&rows.base, store_rows(writer), &err),
			 STORAGE_COMMITTED);
	store_publish(writer);
	ck_assert_int_eq(rows.rows[rows.n_rows - 1].kind, ROW_DIGEST);
	ck_assert(row_digest(&rows.rows[rows.n_rows - 1], &said));
	ck_assert(digest_same(&d, &said));
	said = digest_of_store(writer);
	ck_assert(digest_same(&d, &said));
	/* One that counts other things is none that could be compared. */
	rows.rows[rows.n_rows - 1].body.n = 8;
	ck_assert(!row_digest(&rows.rows[rows.n_rows - 1], &said));
	store_free(writer);
	mem_storage_done(&rows);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("digest");

	tcase_add_test(tc, the_way_to_a_state_does_not_count);
	tcase_add_loop_test(tc, each_difference_counts, 0, (int)ARRAY_LEN(differences));
	tcase_add_test(tc, what_is_shown_follows_from_rows);
	tcase_add_test(tc, a_row_says_it);
	return run_cases("digest", tc);
}
