/* SQLite: databases of older versions, and files that cannot be opened. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/load.h"
#include "journal/sqlite/sqlite.h"
#include "lib/database_files.h"
#include "lib/exposed.h"
#include "lib/run.h"
#include "lib/temp_dir.h"
#include "unit/journal/sqlite_dir.h"

/* The first schema: rows were taken again by later pushes, so only seq says what is newer. */
static const char first_schema[] =
	"CREATE TABLE metric_groups (id INTEGER PRIMARY KEY, key BLOB NOT NULL, pushed_at REAL "
	"NOT NULL, failed_at REAL NOT NULL);"
	"CREATE TABLE segments (id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, seq INTEGER "
	"NOT NULL, pushed_at REAL NOT NULL, body BLOB NOT NULL);"
	"INSERT INTO metric_groups VALUES (1, x'6a6f62ff6aff', 7, 0);"
	/* y of the first, x of both: 10 { name 12 "x", type gauge, metric { gauge { 1 } } } */
	"INSERT INTO segments VALUES (1, 1, 9, 7, x'12' || x'0a0178' || x'1801' || x'220b' || "
	"x'1209' || x'090000000000000040');"
	"INSERT INTO segments VALUES (2, 1, 3, 5, x'12' || x'0a0178' || x'1801' || x'220b' || "
	"x'1209' || x'09000000000000f03f' || x'12' || x'0a0179' || x'1801' || x'220b' || "
	"x'1209' || x'09000000000000f03f');"
	"PRAGMA application_id=1413565529; PRAGMA user_version=1;";

START_TEST(first_schema_is_migrated)
{
	struct storage *st;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(dir.db, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, first_schema, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	for (int i = 0; i < 2; i++) {
		st = open_db();
		struct sqlite_found found = sqlite_storage_found(st);
		struct store *s = load(st);
		CLEANUP(freep) char *text = exposed(s);

		ck_assert_int_eq(found.schema, i == 0 ? 1 : found.schema_now);

		ck_assert_ptr_nonnull(strstr(text, "\nx{instance=\"\",job=\"j\"} 2\n"));
		ck_assert_ptr_nonnull(strstr(text, "\ny{instance=\"\",job=\"j\"} 1\n"));
		ck_assert_uint_eq(store_counts(s).series, 4);
		store_free(s);
		st->ops->close(st);
	}
}
END_TEST

/*
 * The second schema. Group 1 has a segment before one that replaced it, a later one, and a time of
 * its own; 2 has the number of a group that ended; 3 was refused only; 4 has been emptied.
 */
#define GAUGE(name, value) \
	"x'12' || x'0a01' || CAST('" name "' AS BLOB) || x'1801220b120909" value "'"
#define ONE "000000000000f03f"
#define TWO "0000000000000040"
static const char second_schema[] =
	"CREATE TABLE metric_groups (id INTEGER PRIMARY KEY, key BLOB NOT NULL, pushed_at REAL "
	"NOT NULL, failed_at REAL NOT NULL);"
	"CREATE TABLE segments (id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, pushed_at REAL "
	"NOT NULL, whole INTEGER NOT NULL, body BLOB NOT NULL);"
	"INSERT INTO metric_groups VALUES (1, x'6a6f62ff31ff', 40, 41), (2, x'6a6f62ff32ff', 5, 0),"
	"(3, x'6a6f62ff33ff', 0, 6), (4, x'6a6f62ff34ff', 60, 0);"
	"INSERT INTO segments VALUES (3, 1, 70, 1, " GAUGE(
		"a",
		ONE) "),"
		     "(4, 2, 71, 1, " GAUGE("a", ONE) "), (5, 2, 72, 1, x''), (7, 1, 8, 1, " GAUGE(
			     "b",
			     ONE) "),"
				  "(8, 1, 9, 0, " GAUGE("c", TWO) "), (9, 2, 10, 1, " GAUGE(
					  "a",
					  TWO) "),"
					       "(11, 5, 73, 1, " GAUGE(
						       "a",
						       ONE) "), (12, 5, 74, 1, x''),"
							    "(13, 4, 58, 1, " GAUGE(
								    "a",
								    ONE) "), (14, 4, 60, 1, x'');"
									 "PRAGMA "
									 "application_id="
									 "1413565529; PRAGMA "
									 "user_version=2;";

static void run_sql(const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(dir.db, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(second_schema_is_migrated)
{
	run_sql(second_schema);
	for (int i = 0; i < 2; i++) {
		struct storage *st = open_db();
		struct store *s = load(st);
		CLEANUP(freep) char *text = exposed(s);
		CLEANUP(freep) char *pushed = exposed_pushed(s);

		ck_assert_str_eq(pushed, "# TYPE a gauge\na{instance=\"\",job=\"2\"} 2\n"
					 "# TYPE b gauge\nb{instance=\"\",job=\"1\"} 1\n"
					 "# TYPE c gauge\nc{instance=\"\",job=\"1\"} 2\n");
		ck_assert_ptr_nonnull(strstr(text,
					     "\npush_time_seconds{instance=\"\",job=\"1\"} 40\n"
					     "push_time_seconds{instance=\"\",job=\"2\"} 10\n"
					     "push_time_seconds{instance=\"\",job=\"3\"} 0\n"
					     "push_time_seconds{instance=\"\",job=\"4\"} 60\n"));
		ck_assert_ptr_nonnull(
			strstr(text, "\npush_failure_time_seconds{instance=\"\",job=\"1\"} 41\n"
				     "push_failure_time_seconds{instance=\"\",job=\"2\"} 0\n"
				     "push_failure_time_seconds{instance=\"\",job=\"3\"} 6\n"
				     "push_failure_time_seconds{instance=\"\",job=\"4\"} 0\n"));
		store_free(s);
		st->ops->close(st);
	}
}
END_TEST

static const char *const strange[] = {
	"INSERT INTO segments VALUES (99, 77, 1, 0, x'')",
	"INSERT INTO segments VALUES (99, -1, 1, 0, x'')",
	"INSERT INTO metric_groups VALUES (100000000, x'6a6f62ff6bff', 1, 0)",
};

/* The whole upgrade is one transaction. */
START_TEST(strange_second_schema)
{
	struct storage *st;
	struct err err = { 0 };

	run_sql(second_schema);
	run_sql(strange[_i]);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPEN_DAMAGED);
	run_sql("SELECT count(*) FROM metric_groups");
}
END_TEST

/* Nobody knows what is in it: that is no damage, and nothing of it may be changed. */
START_TEST(not_to_be_read)
{
	struct storage *st;
	struct err err = { 0 };

	ck_assert_int_eq(symlink(dir.db, dir.db), 0);
	database_file_write(&dir, WAL_FILE, STR("a part of what was committed"));
	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPEN_FAILED);
	ck_assert_msg(strstr(err.msg, "cannot read") && strstr(err.msg, "symbolic links"), "%s",
		      err.msg);
}
END_TEST

START_TEST(second_opener)
{
	struct storage *st = open_db(), *other;
	struct store *s = load(st);
	struct err err = { 0 };
	sqlite3 *reader;

	ck_assert_int_eq(sqlite_storage_open(dir.db, &other, &err), SQLITE_OPEN_FAILED);
	ck_assert_msg(err.reason == ERR_SYSTEM && strstr(err.msg, "in use"), "%s", err.msg);
	/* Nor does SQLite itself get in beside it. */
	ck_assert_int_eq(sqlite3_open(dir.db, &reader), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(reader, "SELECT * FROM log", NULL, NULL, NULL), SQLITE_BUSY);
	ck_assert_int_eq(sqlite3_close(reader), SQLITE_OK);
	push_ok(st, s, PUSH_PUT, "/j", "a 1\n");
	store_free(s);
	st->ops->close(st);
	st = open_db();
	st->ops->close(st);
}
END_TEST

static void refuse_open(const char *path, const char *message)
{
	struct storage *st;
	struct err err = { 0 };
	enum sqlite_open_result r = sqlite_storage_open(path, &st, &err);

	ck_assert_msg(r == SQLITE_OPEN_FAILED && err.reason == ERR_SYSTEM &&
			      strstr(err.msg, message),
		      "%s: %d %s", path, r, err.msg);
}

START_TEST(no_such_directory)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/missing/test.db", dir.path);
	refuse_open(path, "cannot write");
	refuse_open(dir.path, "is a directory");
}
END_TEST

/* SQLite knows other meanings of each: in memory, with parameters, forgotten when closed. */
static const char *const magic_names[] = { ":memory:", "file::memory:", "file:x.db?mode=memory",
					   "file:x.db", "-" };

START_TEST(every_name_is_that_of_a_file)
{
	const char *name = magic_names[_i];
	struct storage *st;
	struct store *s;
	struct err err = { 0 };
	struct stat sb;

	ck_assert_int_eq(chdir(dir.path), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(sqlite_storage_open(name, &st, &err) == SQLITE_OPENED, "%s", err.msg);
		s = load(st);
		ck_assert_uint_eq(store_counts(s).groups, (uint64_t)i);
		ck_assert_int_eq(stat(name, &sb), 0);
		ck_assert_uint_ge(st->ops->bytes(st), (uint64_t)sb.st_size);
		push_ok(st, s, PUSH_PUT, "/j", "a 1\n");
		store_free(s);
		st->ops->close(st);
	}
}
END_TEST

START_TEST(no_name)
{
	refuse_open("", "has no name");
}
END_TEST

/* root may write anywhere, so the test's process becomes somebody else. */
static void become_nobody(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
}

START_TEST(unwritable_directory)
{
	ck_assert_int_eq(chmod(dir.path, 0555), 0);
	become_nobody();
	refuse_open(dir.db, "cannot write");
}
END_TEST

START_TEST(unwritable_file)
{
	struct storage *st = open_db();

	st->ops->close(st);
	ck_assert_int_eq(chmod(dir.path, 0777), 0);
	ck_assert_int_eq(chmod(dir.db, 0444), 0);
	become_nobody();
	refuse_open(dir.db, "cannot write");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sqlite_open");
	int failed;

	temp_dir_make(&top);
	tcase_add_checked_fixture(tc, make_dir, NULL);
	tcase_add_test(tc, not_to_be_read);
	tcase_add_test(tc, second_opener);
	tcase_add_test(tc, first_schema_is_migrated);
	tcase_add_test(tc, second_schema_is_migrated);
	tcase_add_loop_test(tc, strange_second_schema, 0, (int)ARRAY_LEN(strange));
	tcase_add_test(tc, no_such_directory);
	tcase_add_loop_test(tc, every_name_is_that_of_a_file, 0, ARRAY_LEN(magic_names));
	tcase_add_test(tc, no_name);
	tcase_add_test(tc, unwritable_directory);
	tcase_add_test(tc, unwritable_file);
	failed = run_cases("sqlite_open", tc);
	temp_dir_remove(&top);
	return failed;
}
