/* The SQLite engine on a real file: what it keeps, whom it refuses, what a failed commit leaves. */
#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/load.h"
#include "journal/sqlite/sqlite.h"
#include "lib/exposed.h"
#include "lib/mem_storage.h"
#include "lib/run.h"
#include "lib/temp_dir.h"
#include "unit/journal/sqlite_dir.h"

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
	tcase_add_test(tc, no_space);
	tcase_add_test(tc, cleaned);
	tcase_add_test(tc, cleaning_finds_what_is_harmed);
	tcase_add_test(tc, rows_are_read_one_by_one);
	tcase_add_test(tc, nothing_of_a_failed_commit_is_there);
	failed = run_cases("sqlite", tc);
	temp_dir_remove(&top);
	return failed;
}
