/* A file in memory, read through read_ahead.h: the bytes are those of the file, whatever is written
 * to it meanwhile; in order, many reads are few calls; and errors are those of the read itself.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "journal/sqlite/read_ahead.h"
#include "lib/rng.h"
#include "lib/run.h"

enum { PAGE = 4096, FRAME = PAGE + 24, FILE_MAX = 1024 * 1024 };

struct file {
	sqlite3_file base; /* first */
	char bytes[FILE_MAX];
	int n;
	int calls;
	int64_t asked; /* bytes */
	int bad;       /* a byte that cannot be read; -1: none */
};

static struct file file;
static struct read_ahead ahead;

static int file_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	int there = at < file.n ? file.n - (int)at : 0;

	ck_assert_ptr_eq(f, &file.base);
	file.calls++;
	file.asked += n;
	if (file.bad >= at && file.bad < at + n)
		return SQLITE_IOERR_READ;
	memset(to, 0, (size_t)n);
	memcpy(to, file.bytes + at, (size_t)(n < there ? n : there));
	return n <= there ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static const sqlite3_io_methods methods = { .iVersion = 1, .xRead = file_read };

static void begin(int n)
{
	file = (struct file){ .base = { &methods }, .n = n, .bad = -1 };
	for (int i = 0; i < n; i++)
		file.bytes[i] = (char)(i * 7 + i / 251);
	read_ahead_done(&ahead);
	ahead = (struct read_ahead){ 0 };
}

static void check_read(int n, int at)
{
	char got[PAGE];

	ck_assert_int_eq(read_ahead_read(&ahead, &file.base, got, n, at), SQLITE_OK);
	ck_assert_msg(memcmp(got, file.bytes + at, (size_t)n) == 0, "%d bytes at %d", n, at);
}

static const struct {
	const char *name;
	int first, step, most_calls;
} orders[] = {
	{ "pages upwards", 0, PAGE, 256 / 16 + 3 },
	{ "pages downwards", FILE_MAX - PAGE, -PAGE, 256 / 16 + 3 },
	/* Frames lie across the parts, and these are read by themselves. */
	{ "frames of a WAL", 32 + 24, FRAME, 2 * (256 / 16) + 3 },
};

START_TEST(many_reads_are_few_calls)
{
	int n = 0;

	begin(FILE_MAX);
	for (int at = orders[_i].first; at >= 0 && at + PAGE <= FILE_MAX; at += orders[_i].step) {
		check_read(PAGE, at);
		n++;
	}
	ck_assert_int_gt(n, 250);
	ck_assert_msg(file.calls <= orders[_i].most_calls, "%s: %d calls for %d reads",
		      orders[_i].name, file.calls, n);
}
END_TEST

/* Reads here and there are as many calls, and of no more bytes than are asked for. */
START_TEST(scattered_reads_read_nothing_ahead)
{
	int n = 0;

	begin(FILE_MAX);
	for (int at = 0; n < 500; at = (at + 37 * PAGE) % FILE_MAX, n++)
		check_read(PAGE, at);
	ck_assert_int_eq(file.calls, n);
	ck_assert_ptr_null(ahead.bytes);
}
END_TEST

/* As a checkpoint reads frames of pages that were written in another order. */
START_TEST(short_runs_read_little_more_than_they_need)
{
	int64_t n = 0;

	begin(FILE_MAX);
	for (int run = 0; run < 1000; run++)
		for (int i = 0; i < 6; i++, n++)
			check_read(PAGE, (run * 101 % (FILE_MAX / PAGE - 6) + i) * PAGE);
	ck_assert_int_le(file.asked, n * PAGE * 3 / 2);
}
END_TEST

/* And what is in order afterwards is read ahead again. */
START_TEST(order_after_short_runs_is_seen)
{
	begin(FILE_MAX);
	for (int run = 0; run < 100; run++)
		for (int i = 0; i < 6; i++)
			check_read(PAGE, (run * 101 % (FILE_MAX / PAGE - 6) + i) * PAGE);
	file.calls = 0;
	for (int i = 0; i < FILE_MAX / PAGE; i++)
		check_read(PAGE, i * PAGE);
	ck_assert_int_le(file.calls, 256 / 16 + 3 + 64);
}
END_TEST

static void write_some(uint64_t *rng)
{
	int n = 1 + (int)rng_below(rng, 3 * PAGE), at = (int)rng_below(rng, FILE_MAX - 3 * PAGE);

	for (int i = 0; i < n; i++)
		file.bytes[at + i] = (char)rng_next(rng);
	if (at + n > file.n)
		file.n = at + n;
	read_ahead_changed(&ahead, n, at);
}

static void cut_some(uint64_t *rng)
{
	int n = FILE_MAX / 2 + (int)rng_below(rng, FILE_MAX / 2);

	if (n >= file.n)
		return;
	memset(file.bytes + n, 0, (size_t)(file.n - n));
	file.n = n;
	read_ahead_changed(&ahead, -1, n);
}

/* Runs of reads in both directions, between which the file is written, cut and grows. */
START_TEST(reads_are_of_what_is_written)
{
	uint64_t rng = 1;

	begin(FILE_MAX);
	for (int run = 0; run < 3000; run++) {
		int step = rng_one_in(&rng, 2) ? PAGE : -PAGE;
		int at = (int)rng_below(&rng, FILE_MAX / PAGE) * PAGE;

		for (uint32_t i = rng_below(&rng, 30); i > 0; i--, at += step) {
			if (at < 0 || at + PAGE > file.n)
				break;
			check_read(PAGE, at);
			if (rng_one_in(&rng, 8))
				write_some(&rng);
		}
		if (rng_one_in(&rng, 20))
			cut_some(&rng);
	}
}
END_TEST

/* Where a part cannot be read as a whole, what can be is, and the rest says why it cannot. */
START_TEST(errors_are_those_of_the_read)
{
	char got[PAGE];

	begin(FILE_MAX);
	file.bad = 20 * PAGE + 5;
	for (int i = 0; i < FILE_MAX / PAGE; i++)
		if (i == 20)
			ck_assert_int_eq(read_ahead_read(&ahead, &file.base, got, PAGE,
							 (sqlite3_int64)i * PAGE),
					 SQLITE_IOERR_READ);
		else
			check_read(PAGE, i * PAGE);
}
END_TEST

START_TEST(the_end_of_the_file)
{
	char got[PAGE];

	begin(100 * PAGE + 10);
	for (int i = 0; i < 100; i++)
		check_read(PAGE, i * PAGE);
	ck_assert_int_eq(read_ahead_read(&ahead, &file.base, got, PAGE, (sqlite3_int64)100 * PAGE),
			 SQLITE_IOERR_SHORT_READ);
	ck_assert_int_eq(got[9], file.bytes[100 * PAGE + 9]);
	ck_assert_int_eq(got[10], 0);
}
END_TEST

static void forget(void)
{
	read_ahead_done(&ahead);
	ahead = (struct read_ahead){ 0 };
}

int main(void)
{
	TCase *tc = tcase_create("read ahead");

	tcase_add_checked_fixture(tc, NULL, forget);
	tcase_add_loop_test(tc, many_reads_are_few_calls, 0, (int)ARRAY_LEN(orders));
	tcase_add_test(tc, scattered_reads_read_nothing_ahead);
	tcase_add_test(tc, short_runs_read_little_more_than_they_need);
	tcase_add_test(tc, order_after_short_runs_is_seen);
	tcase_add_test(tc, reads_are_of_what_is_written);
	tcase_add_test(tc, errors_are_those_of_the_read);
	tcase_add_test(tc, the_end_of_the_file);
	return run_cases("read ahead", tc);
}
