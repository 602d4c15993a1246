/* Copies of a database that is written to: between any two steps, and to their end. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/compare.h"
#include "journal/load.h"
#include "journal/sqlite/sqlite.h"
#include "lib/make_push.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

static struct temp_dir top, dir;

static void make_dir(void)
{
	temp_dir_make_inside(&dir, &top);
}

static struct storage *open_db(const char *path)
{
	struct storage *st;
	struct err err = { 0 };

	ck_assert_msg(sqlite_storage_open(path, &st, &err) == SQLITE_OPENED, "%s", err.msg);
	return st;
}

static struct store *load(struct storage *st)
{
	struct store *s = store_new(&(struct store_limits){ 1000, 100000 });
	struct err err = { 0 };

	ck_assert_msg(load_store(st, s, &err) == STORAGE_LOADED, "%s", err.msg);
	return s;
}

static void push(struct storage *st, struct store *s, unsigned n, unsigned size)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct err err = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "/j%u", n % 7);
	for (unsigned i = 0; i < size; i++)
		strbuf_addf(&body, "m%u{pad=\"%080u\"} %u\n", i, i, n);
	CLEANUP(push_freep) struct push *p = make_push(PUSH_PUT, path, strbuf_z(&body), n);

	store_stage(s, p);
	ck_assert_int_eq(p->err.reason, ERR_NONE);
	ck_assert_msg(st->ops->commit(st, store_rows(s), &err) == STORAGE_COMMITTED, "%s", err.msg);
	store_publish(s);
}

static enum storage_backup_result step(struct storage *st, struct storage_backup *b,
				       struct err *err)
{
	return st->ops->backup_step(st, b, err);
}

static void write_out(const struct storage_backup *b, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	off_t at = 0;
	struct stat sb;

	ck_assert_int_eq(fstat(b->fd, &sb), 0);
	ck_assert_uint_eq((uint64_t)sb.st_size, b->bytes);
	while ((uint64_t)at < b->bytes)
		ck_assert(copy_file_range(b->fd, &at, fd, NULL, b->bytes, 0) > 0);
	close(fd);
	close(b->fd);
}

/* The copy shows what the store does. */
static void check_copy(const struct storage_backup *b, struct store *want)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct err err = { 0 };
	struct storage *st;
	struct store *got;

	strbuf_addf(&name, "%s/copy.db", dir.path);
	write_out(b, strbuf_z(&name));
	st = open_db(name.p);
	ck_assert_int_eq(sqlite_storage_found(st).doubt.reason, ERR_NONE);
	got = load(st);
	ck_assert_msg(compare_stores(want, got, &err), "%s", err.msg);
	store_free(got);
	st->ops->close(st);
	unlink(name.p);
}

/* _i: pushes between two steps; 0: none. */
START_TEST(all_that_is_committed_before_its_end)
{
	struct storage *st = open_db(dir.db);
	struct store *s = load(st);
	struct storage_backup b = { .fd = -1 };
	struct err err = { 0 };
	unsigned steps = 0;

	for (unsigned i = 0; i < 7; i++)
		push(st, s, i, 2000);
	for (unsigned round = 0; round < 2; round++) {
		while (step(st, &b, &err) == STORAGE_BACKUP_GOES_ON) {
			steps++;
			for (int k = 0; k < _i; k++)
				push(st, s, 7 + steps * 3 + (unsigned)k, 200 * (steps % 3));
		}
		ck_assert_msg(err.reason == ERR_NONE, "%s", err.msg);
		check_copy(&b, s);
	}
	ck_assert_uint_ge(steps, 4);
	store_free(s);
	st->ops->close(st);
}
END_TEST

START_TEST(one_that_is_dropped)
{
	struct storage *st = open_db(dir.db);
	struct store *s = load(st);
	struct storage_backup b = { .fd = -1 };
	struct err err = { 0 };

	for (unsigned i = 0; i < 7; i++)
		push(st, s, i, 2000);
	st->ops->backup_drop(st);
	ck_assert_int_eq(step(st, &b, &err), STORAGE_BACKUP_GOES_ON);
	st->ops->backup_drop(st);
	push(st, s, 8, 1);
	ck_assert_int_eq(step(st, &b, &err), STORAGE_BACKUP_GOES_ON);
	store_free(s);
	st->ops->close(st);
	st = open_db(dir.db);
	store_free(load(st));
	st->ops->close(st);
}
END_TEST

/* What it was copied from is not what is there. */
START_TEST(a_database_that_is_opened_again_meanwhile)
{
	struct storage *st = open_db(dir.db);
	struct store *s = load(st);
	struct storage_backup b = { .fd = -1 };
	struct err err = { 0 };

	for (unsigned i = 0; i < 7; i++)
		push(st, s, i, 2000);
	ck_assert_int_eq(step(st, &b, &err), STORAGE_BACKUP_GOES_ON);
	ck_assert_int_eq(st->ops->reopen(st, &err), 0);
	ck_assert_int_eq(step(st, &b, &err), STORAGE_BACKUP_FAILED);
	ck_assert_str_eq(err.msg,
			 "the database was opened again while it was being copied: try again");
	err = (struct err){ 0 };
	while (step(st, &b, &err) == STORAGE_BACKUP_GOES_ON)
		;
	ck_assert_int_eq(err.reason, ERR_NONE);
	check_copy(&b, s);
	store_free(s);
	st->ops->close(st);
}
END_TEST

START_TEST(where_no_file_can_be_made)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct storage *st = open_db(dir.db);
	struct storage_backup b = { .fd = -1 };
	struct err err = { 0 };

	strbuf_addf(&name, "%s.copying", dir.db);
	ck_assert_int_eq(mkdir(strbuf_z(&name), 0700), 0);
	ck_assert_int_eq(step(st, &b, &err), STORAGE_BACKUP_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "cannot make "));
	ck_assert_int_eq(rmdir(name.p), 0);
	st->ops->close(st);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("backup");
	int failed;

	temp_dir_make(&top);
	tcase_add_checked_fixture(tc, make_dir, NULL);
	tcase_add_loop_test(tc, all_that_is_committed_before_its_end, 0, 3);
	tcase_add_test(tc, one_that_is_dropped);
	tcase_add_test(tc, a_database_that_is_opened_again_meanwhile);
	tcase_add_test(tc, where_no_file_can_be_made);
	failed = run_cases("backup", tc);
	temp_dir_remove(&top);
	return failed;
}
