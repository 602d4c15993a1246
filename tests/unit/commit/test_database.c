/* Repairing the database: whatever fails on the way, the next batch is taken in the end, and what
 * is stored is what is shown.
 */
#include <check.h>

#include "base/clock.h"
#include "commit/database.h"
#include "journal/compare.h"
#include "journal/load.h"
#include "lib/gateway.h"
#include "lib/run.h"

/* Rows in memory that are doubted or lost when told so, and of which some calls fail. */
struct doubtful {
	struct storage base; /* first */
	struct gateway g;
	enum storage_health health;
	unsigned reopens_to_fail, renewals_to_fail, reads_to_fail; /* of the next ones */
	unsigned short_reads; /* so many of the next ones of all rows end before the oldest one */
	bool leaves_it_open;  /* whether a batch is stored */
	unsigned renewals;
	unsigned reads; /* of all rows */
};

static struct doubtful *of(struct storage *st)
{
	return (struct doubtful *)st;
}

static struct storage *rows_of(struct storage *st)
{
	return &of(st)->g.rows.base;
}

struct all_but_the_oldest {
	storage_row_fn fn;
	void *arg;
};

static int give_all_but_the_oldest(void *arg, const struct row *row, struct err *err)
{
	const struct all_but_the_oldest *a = arg;

	return row->number == 1 ? 1 : a->fn(a->arg, row, err);
}

static enum storage_load_result doubtful_read(struct storage *st, enum storage_which which,
					      uint64_t below, storage_row_fn fn, void *arg,
					      struct err *err)
{
	if (of(st)->reads_to_fail > 0) {
		of(st)->reads_to_fail--;
		err_set(err, ERR_SYSTEM, 0, "told not to be read");
		return STORAGE_FAILED;
	}
	if (which == STORAGE_ALL) {
		of(st)->reads++;
		struct all_but_the_oldest a = { fn, arg };

		/* As PostgreSQL: whoever has read it knows it. */
		if (of(st)->health == STORAGE_CHANGED)
			of(st)->health = STORAGE_WELL;
		if (of(st)->short_reads > 0) {
			of(st)->short_reads--;
			return rows_of(st)->ops->read(rows_of(st), which, below,
						      give_all_but_the_oldest, &a, err);
		}
	}
	return rows_of(st)->ops->read(rows_of(st), which, below, fn, arg, err);
}

static enum storage_commit_result doubtful_commit(struct storage *st, const struct rows *rows,
						  struct err *err)
{
	if (of(st)->leaves_it_open) {
		err_set(err, ERR_STORAGE, 0, STORAGE_MAYBE "told to leave it open");
		return STORAGE_UNKNOWN;
	}
	return rows_of(st)->ops->commit(rows_of(st), rows, err);
}

static uint64_t doubtful_bytes(struct storage *st)
{
	return rows_of(st)->ops->bytes(rows_of(st));
}

static enum storage_health doubtful_health(struct storage *st, struct err *err)
{
	if (of(st)->health == STORAGE_LOST)
		err_set(err, ERR_STORAGE, 0, "told to be lost");
	return of(st)->health;
}

static int doubtful_reopen(struct storage *st, struct err *err)
{
	if (of(st)->reopens_to_fail > 0) {
		of(st)->reopens_to_fail--;
		return err_set(err, ERR_STORAGE, 0, "told not to be opened");
	}
	of(st)->health = STORAGE_WELL;
	return 0;
}

static int doubtful_renew(struct storage *st, storage_fill_fn fill, void *arg,
			  struct strbuf *ret_kept, struct err *err)
{
	struct mem_storage new;

	(void)ret_kept;
	if (of(st)->renewals_to_fail > 0) {
		of(st)->renewals_to_fail--;
		return err_set(err, ERR_STORAGE, 0, "told not to be renewed");
	}
	mem_storage_init(&new);
	if (fill(arg, &new.base, err) < 0) {
		mem_storage_done(&new);
		return -1;
	}
	mem_storage_done(&of(st)->g.rows);
	of(st)->g.rows = new;
	of(st)->health = STORAGE_WELL;
	of(st)->renewals++;
	return 0;
}

static const struct storage_ops doubtful_ops = {
	.read = doubtful_read,
	.commit = doubtful_commit,
	.bytes = doubtful_bytes,
	.health = doubtful_health,
	.reopen = doubtful_reopen,
	.renew = doubtful_renew,
};

/* The store that is replaced is an older one, so that the numbers of its rows are high. */
static void doubtful_init(struct doubtful *d)
{
	*d = (struct doubtful){ .base = { .ops = &doubtful_ops, .max_body = UINT64_MAX } };
	gateway_init(&d->g, 10, 100);
	for (int i = 0; i < 5; i++)
		gateway_push(&d->g, PUSH_PUT, "/j", "# HELP a h\na 1\n", 0);
	gateway_push(&d->g, PUSH_PUT, "/k", "b 1\n", 0);
}

/* A row that changes nothing to be seen and that the store does not know of, as after a commit
 * that failed and is on the disk all the same. */
static void add_unknown_row(struct doubtful *d)
{
	struct row row = store_beat_rows(d->g.store, 9)->list[0];

	mem_storage_add(&d->g.rows, &row);
	store_rollback(d->g.store);
}

/* A push is taken, and after loading the database it is there with all else. */
static void check_goes_on(struct doubtful *d, struct database *database)
{
	struct push *push = make_push(PUSH_POST, "/j", "later 1\n", d->g.now++);
	struct store *loaded = store_new_like(d->g.store, NULL);
	struct err err = { 0 };

	d->g.pushes[d->g.n++] = push;
	store_stage(d->g.store, push);
	ck_assert_int_eq(database_commit_pushes(database, store_rows(d->g.store), &err),
			 STORAGE_COMMITTED);
	store_publish(d->g.store);
	ck_assert_int_eq(load_store(&d->base, loaded, &err), STORAGE_LOADED);
	ck_assert_msg(compare_stores(d->g.store, loaded, &err), "%s", err.msg);
	gateway_check_counts(&d->g, 2, 7);
	store_free(loaded);
}

/* Of every three calls of a kind the first 0, 1 or 2 fail. */
enum { FAILURES = 3, WAYS = 2 * 2 * FAILURES * FAILURES * FAILURES };

START_TEST(in_the_end_it_goes_on)
{
	int64_t now = 1000 * INT64_C(1000000000);
	struct database database;
	struct doubtful d;
	struct err err;
	int way = _i, tries = 0;

	doubtful_init(&d);
	d.health = way % 2 ? STORAGE_LOST : STORAGE_DOUBTED;
	way /= 2;
	if (way % 2)
		add_unknown_row(&d);
	way /= 2;
	d.reopens_to_fail = (unsigned)(way % FAILURES);
	d.renewals_to_fail = (unsigned)(way / FAILURES % FAILURES);
	d.reads_to_fail = (unsigned)(way / FAILURES / FAILURES);
	clock_hold(now, now);
	database_init(&database, &d.base, d.g.store);
	do {
		now += 2 * INT64_C(1000000000);
		clock_hold(now, now);
		ck_assert_int_lt(tries++, 10);
	} while (database_look_after(&database, &err) < 0);
	check_goes_on(&d, &database);
	database_done(&database);
	gateway_done(&d.g);
}
END_TEST

/* Until the log is loaded nothing is committed that goes on from a store that is not made of it. */
START_TEST(a_log_that_is_another_one_is_loaded_in_the_end)
{
	int64_t now = 1000 * INT64_C(1000000000);
	struct database database;
	struct doubtful d;
	struct err err = { 0 };

	doubtful_init(&d);
	d.health = STORAGE_CHANGED;
	d.short_reads = (unsigned)_i;
	add_unknown_row(&d);
	database_init(&database, &d.base, d.g.store);
	clock_hold(now, now);
	for (int i = 0; i < _i; i++) {
		ck_assert_int_lt(database_look_after(&database, &err), 0);
		now += 60 * INT64_C(1000000000);
		clock_hold(now, now);
	}
	ck_assert_int_eq(database_look_after(&database, &err), 0);
	check_goes_on(&d, &database);
	database_done(&database);
	gateway_done(&d.g);
}
END_TEST

/* However often it is looked after, all of it is not read again at once; and the reason stays. */
START_TEST(a_log_that_cannot_be_loaded_is_read_now_and_then)
{
	int64_t now = 1000 * INT64_C(1000000000);
	struct database database;
	struct err err = { 0 }, why;
	struct doubtful d;

	doubtful_init(&d);
	d.health = STORAGE_CHANGED;
	d.short_reads = 100;
	add_unknown_row(&d);
	database_init(&database, &d.base, d.g.store);
	clock_hold(now, now);
	ck_assert_int_lt(database_look_after(&database, &err), 0);
	why = err;
	for (int i = 0; i < 20; i++) {
		ck_assert_int_lt(database_look_after(&database, &err), 0);
		ck_assert_str_eq(err.msg, why.msg);
	}
	ck_assert_uint_eq(d.reads, 1);
	now += INT64_C(1000000000);
	clock_hold(now, now);
	ck_assert_int_lt(database_look_after(&database, &err), 0);
	ck_assert_uint_eq(d.reads, 2);
	database_done(&database);
	gateway_done(&d.g);
}
END_TEST

/* A push that is refused for what became of an earlier one is not stored itself. */
START_TEST(only_what_may_be_stored_is_called_so)
{
	struct push *push = make_push(PUSH_POST, "/j", "later 1\n", 9);
	struct database database;
	struct err err = { 0 }, why = { 0 };
	struct doubtful d;

	doubtful_init(&d);
	d.leaves_it_open = true;
	database_init(&database, &d.base, d.g.store);
	d.g.pushes[d.g.n++] = push;
	store_stage(d.g.store, push);
	ck_assert_int_eq(database_commit_pushes(&database, store_rows(d.g.store), &err),
			 STORAGE_UNKNOWN);
	store_rollback(d.g.store);
	ck_assert_str_eq(err.msg, STORAGE_MAYBE "told to leave it open");
	ck_assert(database_fails(&database, &why));
	ck_assert_str_eq(why.msg, "the push could not be stored: it is not known yet whether an "
				  "earlier one was: told to leave it open");
	database_done(&database);
	gateway_done(&d.g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("database");

	tcase_add_loop_test(tc, in_the_end_it_goes_on, 0, WAYS);
	tcase_add_loop_test(tc, a_log_that_is_another_one_is_loaded_in_the_end, 0, 3);
	tcase_add_test(tc, a_log_that_cannot_be_loaded_is_read_now_and_then);
	tcase_add_test(tc, only_what_may_be_stored_is_called_so);
	return run_cases("database", tc);
}
