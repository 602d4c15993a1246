/* What is asked about a file: which it is and how long, never its times (look.h). */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/sqlite/look.h"
#include "lib/run.h"
#include "unit/journal/sqlite_dir.h"

/* Of all calls, by src/ and by SQLite. */
static unsigned mask, asked_for_times;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
int __real_statx(int at, const char *name, int flags, unsigned wanted, struct statx *ret);
int __wrap_statx(int at, const char *name, int flags, unsigned wanted, struct statx *ret);
int __real_stat64(const char *name, struct stat *ret);
int __wrap_stat64(const char *name, struct stat *ret);
int __real_fstat64(int fd, struct stat *ret);
int __wrap_fstat64(int fd, struct stat *ret);

int __wrap_statx(int at, const char *name, int flags, unsigned wanted, struct statx *ret)
{
	mask |= wanted;
	return __real_statx(at, name, flags, wanted, ret);
}

int __wrap_stat64(const char *name, struct stat *ret)
{
	asked_for_times++;
	return __real_stat64(name, ret);
}

int __wrap_fstat64(int fd, struct stat *ret)
{
	asked_for_times++;
	return __real_fstat64(fd, ret);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void check_same(const struct look *l)
{
	struct stat st;

	ck_assert_int_eq(stat(dir.db, &st), 0);
	ck_assert_uint_eq(l->device, st.st_dev);
	ck_assert_uint_eq(l->inode, st.st_ino);
	ck_assert_int_eq(l->size, st.st_size);
}

static int make_file(void)
{
	int fd = open(dir.db, O_RDWR | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "12345", 5), 5);
	return fd;
}

START_TEST(a_name_a_link_and_a_descriptor_say_the_same)
{
	char name[sizeof(dir.db) + 8];
	int fd = make_file();
	struct look l;

	snprintf(name, sizeof(name), "%s.link", dir.db);
	ck_assert_int_eq(symlink(dir.db, name), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(look_at(dir.db, &l), 0);
		check_same(&l);
		ck_assert_int_eq(look_at(name, &l), 0);
		check_same(&l);
		ck_assert_int_eq(look_into(fd, &l), 0);
		check_same(&l);
		ck_assert_int_eq(write(fd, "678", 3), 3);
	}
	close(fd);
}
END_TEST

START_TEST(what_is_gone_is_seen_by_its_name_only)
{
	int fd = make_file();
	struct look l;

	ck_assert_int_eq(unlink(dir.db), 0);
	ck_assert_int_eq(look_at(dir.db, &l), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(look_into(fd, &l), 0);
	close(fd);
	ck_assert_int_eq(look_into(fd, &l), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(a_commit_asks_for_no_times)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	struct storage *st;
	struct store *s;

	ck_assert_int_eq(vfs->xSetSystemCall(vfs, "fstat", (sqlite3_syscall_ptr)__wrap_fstat64),
			 SQLITE_OK);
	st = open_db();
	s = load(st);
	push_ok(st, s, PUSH_PUT, "/j", "a 1\n");
	mask = asked_for_times = 0;
	/* Until after the first checkpoint, too. */
	for (int i = 0; i < 1000; i++)
		push_ok(st, s, PUSH_PUT, "/j", i % 2 ? "a 1\n" : "a 2\n");
	ck_assert_uint_gt(st->ops->bytes(st), 0);
	ck_assert_uint_ne(mask, 0);
	ck_assert_uint_eq(mask & (STATX_ATIME | STATX_MTIME | STATX_CTIME | STATX_BTIME), 0);
	/* A checkpoint asks how long the database is. */
	ck_assert_uint_lt(asked_for_times, 20);
	store_free(s);
	st->ops->close(st);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("look");
	int failed;

	temp_dir_make(&top);
	tcase_add_checked_fixture(tc, make_dir, NULL);
	tcase_add_test(tc, a_name_a_link_and_a_descriptor_say_the_same);
	tcase_add_test(tc, what_is_gone_is_seen_by_its_name_only);
	tcase_add_test(tc, a_commit_asks_for_no_times);
	failed = run_cases("look", tc);
	temp_dir_remove(&top);
	return failed;
}
