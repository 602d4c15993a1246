/* SQLite on the simulated disk. */
#include <check.h>
#include <limits.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/random.h"
#include "journal/sqlite/sqlite.h"
#include "lib/run.h"
#include "sim/disk_calls.h"

static sqlite3 *open_database(void)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(DISK_DATABASE, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db,
				   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
				   "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
				   "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, b BLOB);",
				   NULL, NULL, NULL) == SQLITE_OK,
		      "%s", sqlite3_errmsg(db));
	return db;
}

static unsigned count_rows(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	unsigned n;

	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT count(*), max(n) FROM t", -1, &stmt, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	n = (unsigned)sqlite3_column_int(stmt, 0);
	ck_assert_uint_eq(n, (unsigned)sqlite3_column_int(stmt, 1));
	sqlite3_finalize(stmt);
	return n;
}

/* Rows are added until the disk dies. Those that were committed are there afterwards. */
START_TEST(sqlite_on_it)
{
	struct disk *d = disk_new((uint64_t)_i + 1);
	unsigned committed = 0;

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	for (int lives = 0; lives < 10; lives++) {
		sqlite3 *db = open_database();
		unsigned rows = count_rows(db);

		ck_assert_msg(rows == committed || rows == committed + 1, "%u of %u", rows,
			      committed);
		committed = rows;
		sqlite3_wal_autocheckpoint(db, 20);
		disk_die_within(d, 400);
		while (sqlite3_exec(db,
				    "INSERT INTO t SELECT count(*) + 1, randomblob(3000) FROM t",
				    NULL, NULL, NULL) == SQLITE_OK &&
		       !d->dead)
			committed++;
		sqlite3_close(db);
		disk_boot(d, lives % 2 == 0);
	}
	ck_assert_uint_gt(committed, 50);
	disk_use(NULL);
	disk_free(d);
}
END_TEST

static int count_row(void *n, const struct row *row, struct err *err)
{
	(void)row;
	(void)err;
	++*(uint64_t *)n;
	return 0;
}

static bool add_row(struct storage *st, uint64_t number)
{
	struct row row = { .number = number, .kind = ROW_BEAT, .at = 1000, .body = STR("") };
	const struct rows rows = { .list = &row, .n = 1 };
	struct err err;

	row.checksum = row_checksum(&row);
	return st->ops->commit(st, &rows, &err) == STORAGE_COMMITTED;
}

/* Opens the database and adds a row, but is killed within so many changes. Returns rows found. */
static uint64_t count_and_add(unsigned changes)
{
	struct storage *st;
	struct err err = { 0 };
	uint64_t n = 0;

	ck_assert_msg(sqlite_storage_open(DISK_DATABASE, &st, &err) == SQLITE_OPENED, "%s",
		      err.msg);
	ck_assert_int_eq(st->ops->read(st, STORAGE_ALL, UINT64_MAX, count_row, &n, &err),
			 STORAGE_LOADED);
	if (changes > 0) {
		disk_die_within(disk_in_use(), changes);
		add_row(st, n + 1);
	}
	disk_in_use()->dead = true;
	st->ops->close(st);
	return n;
}

static bool can_be_opened(void)
{
	struct storage *st;
	struct err err = { 0 };

	if (sqlite_storage_open(DISK_DATABASE, &st, &err) != SQLITE_OPENED)
		return false;
	disk_in_use()->dead = true;
	st->ops->close(st);
	disk_boot(disk_in_use(), false);
	return true;
}

static void close_in_order(void)
{
	struct storage *st;
	struct err err = { 0 };

	ck_assert_msg(sqlite_storage_open(DISK_DATABASE, &st, &err) == SQLITE_OPENED, "%s",
		      err.msg);
	st->ops->close(st);
}

/* Rows that a start after a kill has loaded stay, whatever had been synced before the kill. */
START_TEST(loaded_is_durable)
{
	struct disk *d = disk_new((uint64_t)_i + 1);
	uint64_t before, after;

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	count_and_add(40);
	disk_boot(d, false);
	before = count_and_add(0);
	disk_boot(d, true);
	after = count_and_add(0);
	ck_assert_msg(before == after, "%llu rows, then %llu", (unsigned long long)before,
		      (unsigned long long)after);
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/*
 * The same holds if syncs have failed before the kill: the kernel shows what it has not written,
 * and does not write it later.
 */
START_TEST(loaded_after_failed_syncs_is_durable)
{
	struct disk *d = disk_new((uint64_t)_i + 1);
	struct storage *st;
	struct err err = { 0 };
	uint64_t before, after, n = 0;

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	close_in_order();
	ck_assert_int_eq(sqlite_storage_open(DISK_DATABASE, &st, &err), SQLITE_OPENED);
	for (int i = 0; i < 2; i++)
		n += add_row(st, n + 1);
	d->faults.sync = 1;
	disk_die_within(d, 3);
	add_row(st, n + 1);
	d->dead = true;
	st->ops->close(st);
	d->faults.sync = 0;
	disk_boot(d, false);
	before = count_and_add(0);
	disk_boot(d, true);
	after = count_and_add(0);
	ck_assert_msg(before == after, "%llu rows, then %llu", (unsigned long long)before,
		      (unsigned long long)after);
	disk_boot(d, false);
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* However often the process is killed, the database is not taken for damaged. */
START_TEST(killed_again_and_again)
{
	struct disk *d = disk_new((uint64_t)_i + 1);

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	for (int lives = 0; lives < 9; lives++) {
		if (lives % 3 == 0)
			close_in_order();
		else
			count_and_add(16);
		disk_boot(d, false);
	}
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* However writing fails before the process is killed, the database is not taken for damaged. */
START_TEST(killed_after_failures)
{
	struct disk *d = disk_new((uint64_t)_i + 1);
	struct storage *st;
	struct err err = { 0 };
	uint64_t n = 0;

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	for (int lives = 0; lives < 4; lives++) {
		ck_assert_msg(sqlite_storage_open(DISK_DATABASE, &st, &err) == SQLITE_OPENED, "%s",
			      err.msg);
		d->faults.write = 3;
		for (int i = 0; i < 3; i++)
			n += add_row(st, n + 1);
		d->faults.write = 0;
		disk_die_within(d, 3);
		add_row(st, n + 1);
		d->dead = true;
		st->ops->close(st);
		d->faults.write = 0;
		disk_boot(d, false);
		n = count_and_add(0);
		disk_boot(d, false);
	}
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* A read that gets less than was asked for does not mean the end of the file. */
START_TEST(read_in_pieces)
{
	struct disk *d = disk_new((uint64_t)_i + 1);

	clock_hold(1000, 1000);
	disk_use(d);
	close_in_order();
	count_and_add(UINT_MAX);
	disk_boot(d, false);
	d->faults.shorts = 1;
	ck_assert_uint_eq(count_and_add(0), 1);
	disk_boot(d, false);
	ck_assert_uint_gt(d->cut_short, 0);
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* A database that cannot be read now is not damaged for that: it may not be set aside. */
START_TEST(reads_fail)
{
	struct disk *d = disk_new((uint64_t)_i + 1);
	enum sqlite_open_result r;
	struct storage *st;
	struct err err = { 0 };

	clock_hold(1000, 1000);
	disk_use(d);
	count_and_add(UINT_MAX);
	disk_boot(d, false);
	d->faults.read = 12;
	r = sqlite_storage_open(DISK_DATABASE, &st, &err);
	ck_assert_msg(r != SQLITE_OPEN_DAMAGED, "%s", err.msg);
	d->faults.read = 0;
	if (r == SQLITE_OPENED)
		st->ops->close(st);
	ck_assert_uint_eq(count_and_add(0), 1);
	disk_boot(d, false);
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* A power cut is no damage, whatever it tears while the first commits of a process are written. */
START_TEST(cut_at_first_commits)
{
	struct disk *d = disk_new((uint64_t)_i + 1);

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	for (int lives = 0; lives < 4; lives++) {
		close_in_order();
		count_and_add(6);
		disk_boot(d, true);
	}
	close_in_order();
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* A torn WAL is no damage even if the process that begins it anew is killed before that is done. */
START_TEST(killed_after_torn_header)
{
	struct disk *d = disk_new((uint64_t)_i + 1);

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	/* The first start may take a torn sector for damage; if it does not, no later one may. */
	for (int lives = 0; lives < 60 && (!d->torn || can_be_opened()); lives++) {
		d->torn = false;
		count_and_add(lives % 2 ? 6 : 16);
		disk_boot(d, lives % 2 == 0);
	}
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* A note of an earlier process that cannot be removed would be taken for one about the next WAL. */
START_TEST(note_that_stays)
{
	struct disk *d = disk_new(1);
	struct storage *st;
	struct err err = { 0 };
	int error;

	clock_hold(1000, 1000);
	disk_use(d);
	close_in_order();
	disk_close(d, disk_open(d, DISK_DATABASE "-synced", true, &error));
	d->faults.names = 1;
	ck_assert_int_eq(sqlite_storage_open(DISK_DATABASE, &st, &err), SQLITE_OPEN_FAILED);
	ck_assert_msg(strstr(err.msg, "cannot remove " DISK_DATABASE "-synced"), "%s", err.msg);
	d->faults.names = 0;
	close_in_order();
	ck_assert_ptr_null(disk_find(d, DISK_DATABASE "-synced"));
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* The note says no more than is on the disk, whatever part of the WAL a failed sync has lost. */
START_TEST(cut_after_failed_syncs)
{
	struct disk *d = disk_new((uint64_t)_i + 1);
	enum sqlite_open_result r;
	struct storage *st;
	struct err err = { 0 };
	uint64_t n;

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	close_in_order();
	ck_assert_int_eq(sqlite_storage_open(DISK_DATABASE, &st, &err), SQLITE_OPENED);
	n = 0;
	d->faults.sync = 2;
	for (int i = 0; i < 3; i++)
		n += add_row(st, n + 1);
	disk_die_within(d, 4);
	add_row(st, n + 1);
	d->dead = true;
	st->ops->close(st);
	d->faults.sync = 0;
	disk_boot(d, true);
	r = sqlite_storage_open(DISK_DATABASE, &st, &err);
	ck_assert_msg(r == SQLITE_OPENED || d->torn, "%s", err.msg);
	if (r == SQLITE_OPENED)
		st->ops->close(st);
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* A WAL without any commit is no damage, however often failed syncs leave one. */
START_TEST(syncs_fail_again_and_again)
{
	struct disk *d = disk_new((uint64_t)_i + 1);
	struct storage *st;
	struct err err = { 0 };
	uint64_t n = 0;

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	for (int lives = 0; lives < 8; lives++) {
		ck_assert_msg(sqlite_storage_open(DISK_DATABASE, &st, &err) == SQLITE_OPENED, "%s",
			      err.msg);
		if (lives % 2)
			d->faults.sync = 2;
		/* After a failed sync the storage is opened again and reads its rows back. */
		for (int i = 0; i < 4; i++)
			if (add_row(st, n + 1))
				n++;
			else
				st->ops->reopen(st, &err);
		d->dead = true;
		st->ops->close(st);
		d->faults.sync = 0;
		disk_boot(d, false);
	}
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* A WAL that was closed in order after failed syncs or writes is not taken for damaged, either. */
START_TEST(closed_after_failures)
{
	struct disk *d = disk_new((uint64_t)_i + 1);
	struct storage *st;
	struct err err = { 0 };

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	close_in_order();
	ck_assert_int_eq(sqlite_storage_open(DISK_DATABASE, &st, &err), SQLITE_OPENED);
	*(_i % 2 ? &d->faults.sync : &d->faults.write) = 2;
	for (uint64_t i = 1, n = 1; i < 6; i++)
		n += add_row(st, n);
	d->faults = (struct disk_faults){ 0 };
	st->ops->close(st);
	ck_assert_msg(sqlite_storage_open(DISK_DATABASE, &st, &err) == SQLITE_OPENED, "%s",
		      err.msg);
	st->ops->close(st);
	disk_use(NULL);
	disk_free(d);
}
END_TEST

/* A WAL that cannot be read when it is opened must not be noted as if it were another one. */
START_TEST(reads_fail_at_start)
{
	struct disk *d = disk_new((uint64_t)_i + 1);
	enum sqlite_open_result r;
	struct storage *st;
	struct err err = { 0 };
	uint64_t n;

	random_hold((uint64_t)_i);
	clock_hold(1000, 1000);
	disk_use(d);
	for (int lives = 0; lives < 30; lives++) {
		close_in_order();
		n = count_and_add(12);
		disk_boot(d, false);
		d->faults.read = 30;
		r = sqlite_storage_open(DISK_DATABASE, &st, &err);
		ck_assert_msg(r == SQLITE_OPENED || d->failed > 0, "%s", err.msg);
		ck_assert_msg(r != SQLITE_OPEN_DAMAGED, "%s", err.msg);
		d->faults.read = 0;
		if (r != SQLITE_OPENED)
			continue;
		disk_die_within(d, 12);
		add_row(st, n + 2);
		d->dead = true;
		st->ops->close(st);
		disk_boot(d, false);
	}
	disk_use(NULL);
	disk_free(d);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("disk_calls");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, sqlite_on_it, 0, 20);
	tcase_add_loop_test(tc, loaded_is_durable, 0, 200);
	tcase_add_loop_test(tc, loaded_after_failed_syncs_is_durable, 0, 100);
	tcase_add_loop_test(tc, killed_again_and_again, 0, 100);
	tcase_add_loop_test(tc, killed_after_failures, 0, 100);
	tcase_add_loop_test(tc, read_in_pieces, 0, 5);
	tcase_add_loop_test(tc, reads_fail, 0, 100);
	tcase_add_loop_test(tc, cut_at_first_commits, 0, 100);
	tcase_add_loop_test(tc, killed_after_torn_header, 100, 140);
	tcase_add_test(tc, note_that_stays);
	tcase_add_loop_test(tc, cut_after_failed_syncs, 0, 300);
	tcase_add_loop_test(tc, syncs_fail_again_and_again, 0, 100);
	tcase_add_loop_test(tc, closed_after_failures, 0, 200);
	tcase_add_loop_test(tc, reads_fail_at_start, 0, 50);
	return run_cases_in_one_process("disk_calls", tc);
}
