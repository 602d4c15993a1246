/* Space kept for a file: it is there, the size that the file shows is not, and it can be lost. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/sqlite/reserve.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

/* More than there is on any disk. */
#define TOO_MUCH (1LL << 43)

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
int __real_fallocate64(int fd, int mode, off_t at, off_t n);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t n);

/* A file system may take all that there is before it says that this is not enough, and others who
 * write to that disk find it full.
 */
int __wrap_fallocate64(int fd, int mode, off_t at, off_t n)
{
	if (at + n < TOO_MUCH)
		return __real_fallocate64(fd, mode, at, n);
	errno = ENOSPC;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static struct temp_dir dir;

static struct stat file(void)
{
	struct stat st;

	ck_assert_int_eq(stat(dir.db, &st), 0);
	return st;
}

static struct reserve open_reserve(void)
{
	int fd = open(dir.db, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(write(fd, "12345", 5), 5);
	close(fd);
	return reserve_open(dir.db, file().st_dev, file().st_ino);
}

START_TEST(is_kept_behind_the_end)
{
	struct reserve r = open_reserve();

	ck_assert_int_ge(r.fd, 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(reserve_to(&r, 300000), 0);
		ck_assert_int_ge(r.bytes, 300000);
		ck_assert_int_eq(file().st_size, 5);
		ck_assert_int_ge(file().st_blocks * 512, 300000);
		/* As it is after a truncation of the file. */
		ck_assert_int_eq(truncate(dir.db, 4), 0);
		ck_assert_int_eq(truncate(dir.db, 5), 0);
		reserve_was_cut(&r, 5);
		ck_assert_int_eq(r.bytes, 5);
	}
	reserve_was_filled(&r, 1000);
	reserve_was_filled(&r, 10);
	ck_assert_int_eq(r.bytes, 1000);
	reserve_close(&r);
	ck_assert_int_eq(r.fd, -1);
}
END_TEST

START_TEST(another_file_gets_none)
{
	struct reserve r = open_reserve();
	struct reserve other = reserve_open(dir.db, file().st_dev, file().st_ino + 1);

	ck_assert_int_eq(other.fd, -1);
	ck_assert_int_eq(reserve_to(&other, 300000), 0);
	ck_assert_int_lt(file().st_blocks * 512, 300000);
	reserve_close(&r);
}
END_TEST

START_TEST(says_that_there_is_no_room)
{
	struct reserve r = open_reserve();

	ck_assert_int_eq(reserve_to(&r, TOO_MUCH), -1);
	ck_assert_int_eq(reserve_to(&r, 1000), 0);
	ck_assert_int_eq(reserve_to(&r, TOO_MUCH), -1);
	reserve_close(&r);
}
END_TEST

static void make_dir(void)
{
	temp_dir_make(&dir);
}

static void remove_dir(void)
{
	temp_dir_remove(&dir);
}

int main(void)
{
	TCase *tc = tcase_create("reserve");

	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, is_kept_behind_the_end);
	tcase_add_test(tc, another_file_gets_none);
	tcase_add_test(tc, says_that_there_is_no_room);
	return run_cases("reserve", tc);
}
