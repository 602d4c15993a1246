/* The SQLite engine on a real file: what it keeps, whom it refuses, what a failed commit leaves. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/load.h"
#include "journal/sqlite/sqlite.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

static struct temp_dir top, dir;

static void make_dir(void)
{
	temp_dir_make_inside(&dir, &top);
}

static struct storage *open_db(void)
{
	struct storage *st;
	struct err err = { 0 };

	ck_assert_msg(sqlite_storage_open(dir.db, &st, &err) == SQLITE_OPENED, "%s", err.msg);
	return st;
}

static struct store *new_store(void)
{
	return store_new(&(struct store_limits){ 1000, 100000 });
}

static struct store *load(struct storage *st)
{
	struct store *s = new_store();
	struct err err = { 0 };

	ck_assert_msg(load_store(st, s, &err) == STORAGE_LOADED, "%s", err.msg);
	return s;
}

/* Returns what the commit returned; a failed one is rolled back. */
static int push(struct storage *st, struct store *s, enum push_mode mode, const char *path,
		const char *body, struct err *err)
{
	CLEANUP(push_freep) struct push *p = make_push(mode, path, body, 1.5);
	enum storage_commit_result r;

	store_stage(s, p);
	r = st->ops->commit(st, store_rows(s), err);
	if (r == STORAGE_COMMITTED)
		store_publish(s);
	else
		store_rollback(s);
	return r == STORAGE_COMMITTED ? 0 : -1;
}

static void push_ok(struct storage *st, struct store *s, enum push_mode mode, const char *path,
		    const char *body)
{
	struct err err = { 0 };

	ck_assert_msg(push(st, s, mode, path, body, &err) == 0, "%s", err.msg);
}

static char *exposed(struct store *s)
{
	struct strbuf b = { 0 };

	exposed_add(s, &b);
	strbuf_z(&b);
	return b.p;
}

/* The file shows what the store does, once it is opened again. */
static void check_reopened(struct store *s)
{
	struct storage *st = open_db();
	struct store *again = load(st);
	CLEANUP(freep) char *want = exposed(s);
	CLEANUP(freep) char *got = exposed(again);

	ck_assert_str_eq(got, want);
	store_free(again);
	st->ops->close(st);
}

START_TEST(new_file)
{
	struct storage *st = open_db();
	struct store *s = load(st);
	struct stat sb;

	ck_assert_uint_eq(store_counts(s).groups, 0);
	ck_assert(st->ops->bytes(st) > 0);
	st->ops->close(st);
	ck_assert_int_eq(stat(dir.db, &sb), 0);
	check_reopened(s);
	store_free(s);
}
END_TEST

START_TEST(all_kinds_of_changes)
{
	struct storage *st = open_db();
	struct store *s = load(st);
	CLEANUP(strbuf_done) struct strbuf big = { 0 };

	strbuf_addf(&big, "big{x=\"%06000d\"} 1\nsmall 1\n", 0);
	push_ok(st, s, PUSH_PUT, "/j", "# HELP a help\n# TYPE a counter\na 1\nb -0\n");
	push_ok(st, s, PUSH_POST, "/j", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n");
	push_ok(st, s, PUSH_POST, "/j", "b 2\n");
	push_ok(st, s, PUSH_PUT, "/k/a/b", strbuf_z(&big));
	push_ok(st, s, PUSH_POST, "/k/a/b", "big 2\n");
	push_ok(st, s, PUSH_PUT, "/l", "a 1\n");
	push_ok(st, s, PUSH_PUT, "/l", "");
	push_ok(st, s, PUSH_PUT, "/m", "x 1\n");
	push_ok(st, s, PUSH_DELETE, "/m", "");
	push_ok(st, s, PUSH_POST, "/k/a/b", "big 3\n");
	uint64_t bytes = st->ops->bytes(st);

	ck_assert(bytes > 6000);
	st->ops->close(st);
	check_reopened(s);
	/* And goes on from there. */
	store_free(s);
	st = open_db();
	s = load(st);
	push_ok(st, s, PUSH_POST, "/j", "b 3\n");
	push_ok(st, s, PUSH_PUT, "/n", "b 3\n");
	st->ops->close(st);
	check_reopened(s);
	store_free(s);
}
END_TEST

/* Dead families of older rows contradict what came later. */
START_TEST(order_of_rows_is_not_of_pushes)
{
	struct storage *st = open_db();
	struct store *s = load(st);

	push_ok(st, s, PUSH_PUT, "/b", "z 1\n");
	push_ok(st, s, PUSH_PUT, "/a", "# TYPE x counter\nx 1\ny 1\n");
	push_ok(st, s, PUSH_POST, "/a", "# TYPE x gauge\nx 1\n");
	push_ok(st, s, PUSH_PUT, "/b", "# TYPE x gauge\nx 2\n");
	push_ok(st, s, PUSH_POST, "/a", "# TYPE x gauge\nx 3\n");
	st->ops->close(st);
	check_reopened(s);
	store_free(s);
}
END_TEST

static void clean(struct storage *st, struct store *s, uint64_t bytes)
{
	struct err err = { 0 };

	ck_assert_int_eq(storage_clean(st, s, bytes, &err), 0);
	store_clean_rows(s);
	ck_assert_msg(st->ops->commit(st, store_rows(s), &err) == STORAGE_COMMITTED, "%s", err.msg);
	store_clean_end(s, true);
	store_publish(s);
}

/* Cleaned in steps, and then all at once: the same is exposed, and loaded again. */
START_TEST(cleaned)
{
	struct storage *st = open_db();
	struct store *s = load(st);

	push_ok(st, s, PUSH_PUT, "/b", "z 1\n");
	push_ok(st, s, PUSH_PUT, "/a", "# TYPE x counter\nx 1\ny 1\n# HELP w words\nw 1\n");
	push_ok(st, s, PUSH_POST, "/a", "# TYPE x gauge\nx 1\n");
	push_ok(st, s, PUSH_PUT, "/gone", "g 1\n");
	push_ok(st, s, PUSH_DELETE, "/gone", "");
	push_ok(st, s, PUSH_PUT, "/b", "# TYPE x gauge\nx 2\n");
	push_ok(st, s, PUSH_PUT, "/emptied", "e 1\n");
	push_ok(st, s, PUSH_PUT, "/emptied", "");
	CLEANUP(freep) char *before = exposed(s);

	for (int i = 0; i < 12; i++) {
		clean(st, s, i < 10 ? 1 : 100000);
		CLEANUP(freep) char *after = exposed(s);

		ck_assert_str_eq(after, before);
		st->ops->close(st);
		check_reopened(s);
		st = open_db();
	}
	push_ok(st, s, PUSH_POST, "/a", "y 2\n");
	st->ops->close(st);
	check_reopened(s);
	store_free(s);
}
END_TEST

/* A row that the disk has changed is found when its part of the log is cleaned, and nothing is
 * dropped. */
START_TEST(cleaning_finds_what_is_harmed)
{
	struct storage *st = open_db();
	struct store *s = load(st);
	struct err err = { 0 };
	sqlite3 *db;

	push_ok(st, s, PUSH_PUT, "/j", "a 1\n");
	push_ok(st, s, PUSH_PUT, "/k", "a 2\n");
	st->ops->close(st);
	ck_assert_int_eq(sqlite3_open(dir.db, &db), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_exec(db, "UPDATE log SET at = 8 WHERE number = 2", NULL, NULL, NULL),
		SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	st = open_db();
	ck_assert_int_eq(storage_clean(st, s, 1000, &err), -1);
	ck_assert_msg(strstr(err.msg, "row 2 of the log is damaged"), "%s", err.msg);
	store_clean_end(s, false);
	push_ok(st, s, PUSH_PUT, "/j", "a 3\n");
	store_free(s);
	st->ops->close(st);
}
END_TEST

static int count_row(void *arg, const struct row *row, struct err *err)
{
	unsigned *n = arg;

	(void)err;
	n[row_verdict(row) == ROW_INTACT]++;
	return 0;
}

/* Who salvages goes on behind what is harmed, and is told which rows are. */
START_TEST(rows_are_read_one_by_one)
{
	struct storage *st = open_db();
	struct store *s = load(st);
	unsigned n[2] = { 0 };
	struct err err = { 0 };
	sqlite3 *db;

	for (int i = 0; i < 5; i++)
		push_ok(st, s, PUSH_PUT, "/j", "a 1\n");
	store_free(s);
	st->ops->close(st);
	ck_assert_int_eq(sqlite3_open(dir.db, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "UPDATE log SET body = x'00' WHERE number IN (2, 4)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	st = open_db();
	ck_assert_int_eq(st->ops->read(st, STORAGE_ALL, UINT64_MAX, count_row, n, &err),
			 STORAGE_LOADED);
	ck_assert(n[0] == 2 && n[1] == 4);
	n[0] = n[1] = 0;
	ck_assert_int_eq(st->ops->read(st, STORAGE_ALL, 4, count_row, n, &err), STORAGE_LOADED);
	ck_assert(n[0] == 1 && n[1] == 2);
	st->ops->close(st);
}
END_TEST

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

/* Runs in a process that is killed: what commit() has returned from is there. */
static void commit_and_hang(int tell)
{
	struct storage *st = open_db();
	struct store *s = load(st);

	push_ok(st, s, PUSH_PUT, "/j", "a 1\n");
	push_ok(st, s, PUSH_POST, "/j", "b 1\n");
	ck_assert_int_eq(write(tell, "x", 1), 1);
	for (;;)
		pause();
}

START_TEST(killed)
{
	struct storage *st;
	struct store *s;
	int fds[2];
	char c;

	ck_assert_int_eq(pipe(fds), 0);
	pid_t child = fork();

	if (child == 0)
		commit_and_hang(fds[1]);
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	/* In use as long as it lives. */
	struct err err = { 0 };

	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPEN_FAILED);
	ck_assert_msg(strstr(err.msg, "in use by another process"), "%s", err.msg);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	close(fds[0]);
	st = open_db();
	s = load(st);
	CLEANUP(freep) char *got = exposed_pushed(s);

	ck_assert_str_eq(got, "# TYPE a untyped\na{instance=\"\",job=\"j\"} 1\n"
			      "# TYPE b untyped\nb{instance=\"\",job=\"j\"} 1\n");
	store_free(s);
	st->ops->close(st);
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

static void limit_file_size(rlim_t max)
{
	struct rlimit rl;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &rl), 0);
	rl.rlim_cur = max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

START_TEST(no_space)
{
	struct storage *st = open_db();
	struct store *s = load(st);
	CLEANUP(strbuf_done) struct strbuf big = { 0 };
	struct err err = { 0 };

	signal(SIGXFSZ, SIG_IGN);
	for (int i = 0; i < 3000; i++)
		strbuf_addf(&big, "a{x=\"%040d\"} 1\n", i);
	push_ok(st, s, PUSH_PUT, "/j", "a 1\n");
	CLEANUP(freep) char *before = exposed(s);

	for (int attempt = 0; attempt < 3; attempt++) {
		limit_file_size(st->ops->bytes(st) + 1000);
		err.reason = ERR_NONE;
		ck_assert_int_eq(push(st, s, PUSH_PUT, "/j", strbuf_z(&big), &err), -1);
		ck_assert_msg(err.reason == ERR_STORAGE && strstr(err.msg, "could not be stored"),
			      "%s", err.msg);
		CLEANUP(freep) char *after = exposed(s);

		ck_assert_str_eq(after, before);
	}
	limit_file_size(RLIM_INFINITY);
	push_ok(st, s, PUSH_PUT, "/k", "b 1\n");
	push_ok(st, s, PUSH_PUT, "/j", strbuf_z(&big));
	st->ops->close(st);
	check_reopened(s);
	store_free(s);
}
END_TEST

START_TEST(nothing_of_a_failed_commit_is_there)
{
	struct str key = STR("job\xFFj\xFF");
	struct row list[] = {
		{ .number = 1, .kind = ROW_GROUP, .group = 1, .body = key, .at = 1 },
		{ .number = 2, .kind = ROW_RECORD, .group = 1, .at = 1 },
		{ .number = 2, .kind = ROW_RECORD, .group = 1, .at = 1 },
	};
	struct storage *st = open_db();
	struct err err = { 0 };

	/* The same number twice: it may be for the rows. */
	ck_assert_int_eq(st->ops->commit(st, &(struct rows){ .list = list, .n = 3 }, &err),
			 STORAGE_REFUSED_ROWS);
	ck_assert_int_eq(err.reason, ERR_STORAGE);
	struct store *s = load(st);

	ck_assert_uint_eq(store_counts(s).groups, 0);
	push_ok(st, s, PUSH_PUT, "/j", "a 1\n");
	st->ops->close(st);
	check_reopened(s);
	store_free(s);
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
	TCase *tc = tcase_create("sqlite");
	int failed;

	temp_dir_make(&top);
	tcase_add_checked_fixture(tc, make_dir, NULL);
	tcase_add_test(tc, new_file);
	tcase_add_test(tc, all_kinds_of_changes);
	tcase_add_test(tc, order_of_rows_is_not_of_pushes);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, second_opener);
	tcase_add_test(tc, no_space);
	tcase_add_test(tc, cleaned);
	tcase_add_test(tc, cleaning_finds_what_is_harmed);
	tcase_add_test(tc, rows_are_read_one_by_one);
	tcase_add_test(tc, first_schema_is_migrated);
	tcase_add_test(tc, second_schema_is_migrated);
	tcase_add_loop_test(tc, strange_second_schema, 0, (int)ARRAY_LEN(strange));
	tcase_add_test(tc, nothing_of_a_failed_commit_is_there);
	tcase_add_test(tc, no_such_directory);
	tcase_add_loop_test(tc, every_name_is_that_of_a_file, 0, ARRAY_LEN(magic_names));
	tcase_add_test(tc, no_name);
	tcase_add_test(tc, unwritable_directory);
	tcase_add_test(tc, unwritable_file);
	failed = run_cases("sqlite", tc);
	temp_dir_remove(&top);
	return failed;
}
