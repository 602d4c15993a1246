/* The file layer beside a plain array of bytes: what is read is what was written, in any order. */
#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "journal/sqlite/vfs.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

enum { SIZE = 512 * 1024, OPS = 2000 };

static struct temp_dir dir;

static sqlite3_file *open_file(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(vfs_name());
	sqlite3_file *f = mem_zalloc((size_t)vfs->szOsFile);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;

	ck_assert_int_eq(vfs->xOpen(vfs, dir.db, f, flags, &flags), SQLITE_OK);
	return f;
}

static void close_file(sqlite3_file *f)
{
	ck_assert_int_eq(f->pMethods->xClose(f), SQLITE_OK);
	free(f);
}

static off_t size_on_disk(void)
{
	struct stat sb;

	ck_assert_int_eq(stat(dir.db, &sb), 0);
	return sb.st_size;
}

struct model {
	sqlite3_file *f;
	char *bytes;
	size_t n, next; /* next: where the last write ended */
	uint64_t rng;
};

static void check_read(struct model *m)
{
	size_t at = rng_below(&m->rng, SIZE), n = 1 + rng_below(&m->rng, 9000);
	CLEANUP(freep) char *got = mem_alloc(n);
	int r = m->f->pMethods->xRead(m->f, got, (int)n, (sqlite3_int64)at);

	if (at + n > m->n)
		ck_assert_int_eq(r & 0xFF, SQLITE_IOERR); /* a short one */
	else
		ck_assert(r == SQLITE_OK && memcmp(got, m->bytes + at, n) == 0);
}

static void write_some(struct model *m)
{
	static const size_t most[] = { 30, 5000, 60000, 90000 };
	size_t n = 1 + rng_below(&m->rng, (uint32_t)most[rng_below(&m->rng, 4)]);
	size_t at = rng_one_in(&m->rng, 4) ? rng_below(&m->rng, (uint32_t)m->n + 1) : m->next;

	if (at + n > SIZE)
		at = 0;
	if (at > m->n)
		at = m->n;
	for (size_t i = 0; i < n; i++)
		m->bytes[at + i] = (char)rng_next(&m->rng);
	ck_assert_int_eq(m->f->pMethods->xWrite(m->f, m->bytes + at, (int)n, (sqlite3_int64)at),
			 SQLITE_OK);
	m->n = at + n > m->n ? at + n : m->n;
	m->next = at + n;
}

static void other_op(struct model *m)
{
	const sqlite3_io_methods *ops = m->f->pMethods;
	sqlite3_int64 size;

	switch (rng_below(&m->rng, 4)) {
	case 0:
		ck_assert_int_eq(ops->xFileSize(m->f, &size), SQLITE_OK);
		ck_assert_int_eq(size, (sqlite3_int64)m->n);
		break;
	case 1:
		ck_assert_int_eq(ops->xSync(m->f, SQLITE_SYNC_NORMAL), SQLITE_OK);
		ck_assert_int_eq(size_on_disk(), (off_t)m->n);
		break;
	case 2:
		m->n = rng_below(&m->rng, (uint32_t)m->n + 1);
		ck_assert_int_eq(ops->xTruncate(m->f, (sqlite3_int64)m->n), SQLITE_OK);
		break;
	default:
		close_file(m->f);
		ck_assert_int_eq(size_on_disk(), (off_t)m->n);
		m->f = open_file();
	}
}

START_TEST(random_ops)
{
	struct model m = { open_file(), mem_zalloc(SIZE), 0, 0, (uint64_t)_i + 1 };

	for (int i = 0; i < OPS; i++)
		switch (rng_below(&m.rng, 12)) {
		case 0:
			other_op(&m);
			break;
		case 1:
			check_read(&m);
			break;
		default:
			write_some(&m);
		}
	close_file(m.f);
	free(m.bytes);
}
END_TEST

/* Not one byte reaches the disk before the sync, and then all do. */
START_TEST(waits_for_the_sync)
{
	sqlite3_file *f = open_file();

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(f->pMethods->xWrite(f, "0123456789", 10, (sqlite3_int64)i * 10),
				 SQLITE_OK);
	ck_assert_int_eq(size_on_disk(), 0);
	ck_assert_int_eq(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	ck_assert_int_eq(size_on_disk(), 100);
	close_file(f);
}
END_TEST

/* The call that has to bring the bytes to the disk says that it could not. */
START_TEST(failure_is_told)
{
	struct rlimit rl = { 50, RLIM_INFINITY };
	sqlite3_file *f = open_file();
	char byte;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &rl), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(f->pMethods->xWrite(f, "0123456789", 10, 60), SQLITE_OK);
		ck_assert_int_ne(i ? f->pMethods->xSync(f, SQLITE_SYNC_NORMAL)
				   : f->pMethods->xRead(f, &byte, 1, 0),
				 SQLITE_OK);
		ck_assert_int_eq(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	}
	close_file(f);
}
END_TEST

/*
 * SQLite does not look at what some calls answer, and counts a checkpoint as made whose last pages
 * they were to write. The next call that it does look at says so.
 */
START_TEST(failure_is_not_forgotten)
{
	struct rlimit rl = { 50, RLIM_INFINITY };
	sqlite3_file *f = open_file();
	const sqlite3_io_methods *ops = f->pMethods;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &rl), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(ops->xWrite(f, "0123456789", 10, 60), SQLITE_OK);
		ops->xFileControl(f, SQLITE_FCNTL_CKPT_DONE, NULL);
		ck_assert_int_ne(i == 0   ? ops->xSync(f, SQLITE_SYNC_NORMAL)
				 : i == 1 ? ops->xTruncate(f, 20)
					  : ops->xWrite(f, "0123456789", 10, 20),
				 SQLITE_OK);
		ck_assert_int_eq(ops->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	}
	close_file(f);
}
END_TEST

/* Another process gives the name to another file, right after SQLite has opened the first one. */
static int open_and_replace(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags,
			    int *ret_flags)
{
	sqlite3_vfs *real = v->pAppData;
	int r = real->xOpen(real, name, f, flags, ret_flags);
	char moved[100];

	snprintf(moved, sizeof(moved), "%s.moved", dir.db);
	ck_assert_int_eq(rename(dir.db, moved), 0);
	ck_assert_ptr_nonnull(freopen(dir.db, "we", stdin));
	return r;
}

START_TEST(a_file_that_loses_its_name_while_it_is_opened)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL), replacing = *real, *vfs;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
	sqlite3_file *f;

	replacing.zName = "replacing";
	replacing.pAppData = real;
	replacing.xOpen = open_and_replace;
	ck_assert_int_eq(sqlite3_vfs_register(&replacing, 1), SQLITE_OK);
	vfs = sqlite3_vfs_find(vfs_name());
	f = mem_zalloc((size_t)vfs->szOsFile);
	ck_assert_int_eq(vfs->xOpen(vfs, dir.db, f, flags, &flags), SQLITE_CANTOPEN);
	close_file(f);
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
	TCase *tc = tcase_create("vfs");

	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_loop_test(tc, random_ops, 0, 4);
	tcase_add_test(tc, waits_for_the_sync);
	tcase_add_test(tc, failure_is_told);
	tcase_add_test(tc, failure_is_not_forgotten);
	tcase_add_test(tc, a_file_that_loses_its_name_while_it_is_opened);
	return run_cases("vfs", tc);
}
