/* Blocks that the disk does not read, at once or ever. The linker puts this around pread(). */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "journal/sqlite/bad_blocks.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

#define BLOCK ((off_t)4096)

static struct temp_dir top, dir;

/* Reads of bytes from there on fail, as often as this says. */
static off_t bad_from, bad_to;
static int failures;
static unsigned reads;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
ssize_t __real_pread64(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_pread64(int fd, void *to, size_t n, off_t at);

ssize_t __wrap_pread64(int fd, void *to, size_t n, off_t at)
{
	reads++;
	if (at < bad_to && at + (off_t)n > bad_from && failures > 0) {
		failures--;
		errno = EIO;
		return -1;
	}
	return __real_pread64(fd, to, n, at);
}

/* NOLINTEND(bugprone-reserved-identifier) */

static void make_file(const char *suffix, off_t size)
{
	char name[300];
	FILE *f;

	snprintf(name, sizeof(name), "%s%s", dir.db, suffix);
	f = fopen(name, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(ftruncate(fileno(f), size), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static const struct {
	off_t size, wal;   /* -1: there is none */
	off_t from, to;    /* what is bad, in both */
	int failures;      /* how many reads of it fail */
	uint64_t bad, all; /* blocks */
	bool few;
} rows[] = {
	{ 0, -1, 0, 0, 0, 0, 0, false },
	{ 1, -1, 0, 0, 0, 0, 1, false },
	{ 100 * BLOCK, -1, 0, 0, 0, 0, 100, false },
	{ 100 * BLOCK, -1, 3 * BLOCK, 4 * BLOCK, INT32_MAX, 1, 100, true },
	/* The read of many blocks has failed, and none of them by itself. */
	{ 100 * BLOCK, -1, 3 * BLOCK, 4 * BLOCK, 1, 0, 100, false },
	{ 100 * BLOCK, -1, 3 * BLOCK, 4 * BLOCK, 3, 0, 100, false },
	{ 100 * BLOCK, -1, 3 * BLOCK, 4 * BLOCK, 4, 1, 100, true },
	/* The last block of the part, and of the file, which is not a whole one. */
	{ 100 * BLOCK, -1, 63 * BLOCK, 65 * BLOCK, INT32_MAX, 2, 100, true },
	{ 99 * BLOCK + 1, -1, 99 * BLOCK, 100 * BLOCK, INT32_MAX, 1, 100, true },
	{ 10 * BLOCK, 20 * BLOCK + 1, 2 * BLOCK, 3 * BLOCK, INT32_MAX, 2, 31, true },
	{ 10 * BLOCK, 20 * BLOCK + 1, 20 * BLOCK, 21 * BLOCK, INT32_MAX, 1, 31, true },
	{ -1, 20 * BLOCK, 0, BLOCK, INT32_MAX, 1, 20, true },
	/* Not most of it. */
	{ 11 * BLOCK, -1, 0, 5 * BLOCK, INT32_MAX, 5, 11, true },
	{ 10 * BLOCK, -1, 0, 5 * BLOCK, INT32_MAX, 5, 10, false },
	{ 10 * BLOCK, -1, 0, 10 * BLOCK, INT32_MAX, 10, 10, false },
	{ 10000 * BLOCK, -1, 0, 256 * BLOCK, INT32_MAX, 256, 10000, true },
	{ 10000 * BLOCK, -1, 0, 257 * BLOCK, INT32_MAX, 257, 257, false },
};

START_TEST(what_is_bad)
{
	struct bad_blocks b;

	temp_dir_make_inside(&dir, &top);
	if (rows[_i].size >= 0)
		make_file("", rows[_i].size);
	if (rows[_i].wal >= 0)
		make_file("-wal", rows[_i].wal);
	bad_from = rows[_i].from;
	bad_to = rows[_i].to;
	failures = rows[_i].failures;
	ck_assert_int_eq(bad_blocks_count(dir.db, &b), 0);
	ck_assert_uint_eq(b.n, rows[_i].bad);
	ck_assert_uint_eq(b.all, rows[_i].all);
	ck_assert_int_eq(bad_blocks_are_few(&b), rows[_i].few);
}
END_TEST

/* However large it is: each read may take seconds. */
START_TEST(a_disk_that_is_gone)
{
	struct bad_blocks b;

	temp_dir_make_inside(&dir, &top);
	make_file("", (off_t)1 << 40);
	make_file("-wal", (off_t)1 << 40);
	bad_from = 0;
	bad_to = INT64_MAX;
	failures = INT32_MAX;
	reads = 0;
	ck_assert_int_eq(bad_blocks_count(dir.db, &b), 0);
	ck_assert_uint_eq(b.n, BAD_BLOCKS_MAX + 1);
	ck_assert(!bad_blocks_are_few(&b));
	ck_assert_uint_lt(reads, UINT64_C(4) * BAD_BLOCKS_MAX);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened)
{
	struct bad_blocks b;

	temp_dir_make_inside(&dir, &top);
	ck_assert_int_eq(symlink(dir.db, dir.db), 0);
	ck_assert_int_eq(bad_blocks_count(dir.db, &b), -1);
	ck_assert_int_eq(errno, ELOOP);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("bad_blocks");

	tcase_add_loop_test(tc, what_is_bad, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, a_disk_that_is_gone);
	tcase_add_test(tc, a_file_that_cannot_be_opened);
	temp_dir_make(&top);
	int r = run_cases("bad_blocks", tc);

	temp_dir_remove(&top);
	return r;
}
