/*
 * Rows that the database has refused, and what a crash then leaves of them: for each choice of the
 * calls that fail during their commit, and many choices of what a power cut keeps.
 */
#include <check.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/random.h"
#include "journal/sqlite/sqlite.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "sim/disk_calls.h"

/* How many calls a commit makes, those that undo it included. */
enum { CALLS = 6, PATTERNS = 1 << CALLS };

enum { GOOD_ROWS = 3, LATER_AT = 3000 };

/* What is done after the commit that fails. */
enum then { NOTHING, AGAIN, REOPEN, REOPEN_AND_AGAIN, CLOSE, N_THENS };

static struct storage *open_storage(void)
{
	struct storage *st;
	struct err err = { 0 };

	ck_assert_msg(sqlite_storage_open(DISK_DATABASE, &st, &err) == SQLITE_OPENED, "%s",
		      err.msg);
	return st;
}

static enum storage_commit_result add_row(struct storage *st, uint64_t number, double at,
					  struct err *err)
{
	struct row row = { .number = number, .kind = ROW_BEAT, .at = at, .body = STR("") };
	const struct rows rows = { .list = &row, .n = 1 };

	row.checksum = row_checksum(&row);
	return st->ops->commit(st, &rows, err);
}

struct found {
	unsigned rows;
	double last_at;
};

static int note_row(void *arg, const struct row *row, struct err *err)
{
	struct found *f = arg;

	(void)err;
	f->rows++;
	if (row->at > f->last_at)
		f->last_at = row->at;
	return 0;
}

static struct found read_all(void)
{
	struct storage *st = open_storage();
	struct found f = { 0 };
	struct err err = { 0 };

	ck_assert_int_eq(st->ops->read(st, STORAGE_ALL, UINT64_MAX, note_row, &f, &err),
			 STORAGE_LOADED);
	st->ops->close(st);
	return f;
}

static bool is_refused(enum storage_commit_result r)
{
	return r == STORAGE_REFUSED || r == STORAGE_REFUSED_ROWS || r == STORAGE_REFUSED_FULL;
}

struct outcome {
	enum storage_commit_result first,
		later; /* later is STORAGE_REFUSED, too, if no later commit was tried */
};

static struct outcome commit_and_crash(struct disk *d, uint64_t pattern, enum then then)
{
	struct outcome o = { .later = STORAGE_REFUSED };
	struct storage *st = open_storage();
	struct err err = { 0 };

	for (uint64_t n = 1; n <= GOOD_ROWS; n++)
		ck_assert_int_eq(add_row(st, n, 1000, &err), STORAGE_COMMITTED);
	d->faults.next = pattern;
	o.first = add_row(st, GOOD_ROWS + 1, 2000, &err);
	if (o.first == STORAGE_UNKNOWN)
		ck_assert_msg(strstr(err.msg, "may have been stored"), "%s", err.msg);
	if (o.first != STORAGE_COMMITTED && (then == REOPEN || then == REOPEN_AND_AGAIN))
		st->ops->reopen(st, &err);
	if (o.first != STORAGE_COMMITTED && (then == AGAIN || then == REOPEN_AND_AGAIN))
		o.later = add_row(st, GOOD_ROWS + 1, LATER_AT, &err);
	if (then == CLOSE) {
		st->ops->close(st);
		d->faults.next = 0;
		return o;
	}
	d->dead = true;
	st->ops->close(st);
	d->faults.next = 0;
	return o;
}

static void check_found(const struct outcome *o, const struct found *f)
{
	if (o->first == STORAGE_COMMITTED || o->later == STORAGE_COMMITTED)
		ck_assert_uint_eq(f->rows, GOOD_ROWS + 1);
	if (o->later == STORAGE_COMMITTED)
		ck_assert_double_eq(f->last_at, LATER_AT);
	if (is_refused(o->later) && f->rows > GOOD_ROWS)
		ck_assert_double_lt(f->last_at, LATER_AT);
	if (is_refused(o->first) && is_refused(o->later))
		ck_assert_uint_eq(f->rows, GOOD_ROWS);
	ck_assert_uint_ge(f->rows, GOOD_ROWS);
}

/* Returns what the commit said. seed: of the power cut, and of the gateway's random numbers. */
static enum storage_commit_result try_one(uint64_t seed, uint64_t pattern, enum then then,
					  bool power_cut, bool *ret_there)
{
	struct disk *d = disk_new(seed);
	struct outcome o;
	struct found f;

	random_hold(seed);
	clock_hold(1000, 1000);
	disk_use(d);
	o = commit_and_crash(d, pattern, then);
	disk_boot(d, power_cut);
	f = read_all();
	check_found(&o, &f);
	*ret_there = f.rows > GOOD_ROWS && f.last_at < LATER_AT;
	disk_use(NULL);
	disk_free(d);
	return o.first;
}

START_TEST(refused_stays_refused)
{
	uint64_t pattern = (uint64_t)_i;
	bool there;

	for (uint64_t seed = 0; seed < 40; seed++) {
		enum then then = (enum then)(seed % N_THENS);
		enum storage_commit_result r = try_one(seed * PATTERNS + pattern, pattern, then,
						       seed % 4 != 0, &there);

		if (pattern == 0)
			ck_assert_int_eq(r, STORAGE_COMMITTED);
		/* One failed call alone never leaves it unknown whether the row was stored. */
		if (__builtin_popcountll(pattern) == 1)
			ck_assert_int_ne(r, STORAGE_UNKNOWN);
	}
}
END_TEST

/*
 * STORAGE_UNKNOWN is the only true answer: when the disk neither undoes nor completes a commit, its
 * row is there after some crashes, and not after others.
 */
START_TEST(unknown_may_be_there)
{
	unsigned n = 0, n_there = 0;

	for (uint64_t pattern = 0; pattern < PATTERNS; pattern++)
		for (uint64_t seed = 0; seed < 8; seed++) {
			bool there;

			if (try_one(seed, pattern, NOTHING, true, &there) != STORAGE_UNKNOWN)
				continue;
			n++;
			n_there += there;
		}
	ck_assert_uint_gt(n_there, 0);
	ck_assert_uint_lt(n_there, n);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("refused");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, refused_stays_refused, 0, PATTERNS);
	tcase_add_test(tc, unknown_may_be_there);
	return run_cases_in_one_process("refused", tc);
}
