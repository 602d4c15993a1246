#include <check.h>
#include <errno.h>

#include "lib/run.h"
#include "sim/disk.h"

static struct disk_file *made(struct disk *d, const char *name)
{
	int error;
	struct disk_file *f = disk_open(d, name, true, &error);

	ck_assert_msg(f != NULL, "%s: %d", name, error);
	return f;
}

static void put_all(struct disk *d, struct disk_file *f, char c, size_t n)
{
	char bytes[4 * DISK_SECTOR];

	memset(bytes, c, n);
	ck_assert_int_eq(disk_write(d, f, bytes, n, 0), (ssize_t)n);
}

static size_t count(const struct disk_file *f, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < f->now.n; i++)
		n += f->now.p[i] == c;
	return n;
}

static bool sector_is(const struct disk_file *f, size_t sector, char c)
{
	for (size_t i = 0; i < DISK_SECTOR; i++)
		if (f->now.p[sector * DISK_SECTOR + i] != c)
			return false;
	return true;
}

enum { SEEDS = 400 };

/* What is synced stays; otherwise each sector is as it was at some time since the sync, or torn. */
START_TEST(power_cut)
{
	unsigned lost = 0, kept = 0, mixed = 0, torn = 0, between = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct disk *d = disk_new(seed);
		struct disk_file *f = made(d, "f");
		size_t olds = 0, news = 0, mids = 0;

		put_all(d, f, 'a', 4 * DISK_SECTOR);
		ck_assert_int_eq(disk_sync(d, f), 0);
		put_all(d, f, 'b', 4 * DISK_SECTOR);
		put_all(d, f, 'c', 4 * DISK_SECTOR);
		disk_close(d, f);
		disk_boot(d, true);
		ck_assert_ptr_eq(disk_find(d, "f"), f);
		ck_assert_uint_eq(f->now.n, 4 * DISK_SECTOR);
		ck_assert_uint_eq(count(f, 'a') + count(f, 'b') + count(f, 'c'), f->now.n);
		for (size_t s = 0; s < 4; s++) {
			olds += sector_is(f, s, 'a');
			mids += sector_is(f, s, 'b');
			news += sector_is(f, s, 'c');
		}
		lost += olds == 4;
		kept += news == 4;
		mixed += olds > 0 && news > 0;
		between += mids > 0;
		torn += olds + mids + news < 4;
		disk_free(d);
	}
	ck_assert_msg(lost > 50 && kept > 50 && mixed > 20 && torn > 20 && between > 50,
		      "%u lost, %u kept, %u mixed, %u torn, %u between", lost, kept, mixed, torn,
		      between);
}
END_TEST

START_TEST(length_is_in_order)
{
	unsigned lengths[3] = { 0 };

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct disk *d = disk_new(seed);
		struct disk_file *f = made(d, "f");

		put_all(d, f, 'a', 100);
		disk_sync(d, f);
		put_all(d, f, 'b', 1000);
		disk_truncate(d, f, 10);
		disk_close(d, f);
		disk_boot(d, true);
		ck_assert(f->now.n == 100 || f->now.n == 1000 || f->now.n == 10);
		lengths[f->now.n == 100 ? 0 : f->now.n == 1000 ? 1 : 2]++;
		disk_free(d);
	}
	ck_assert_msg(lengths[0] > 20 && lengths[1] > 20 && lengths[2] > 20, "%u %u %u", lengths[0],
		      lengths[1], lengths[2]);
}
END_TEST

START_TEST(killed)
{
	struct disk *d = disk_new(1);
	struct disk_file *f = made(d, "f");

	put_all(d, f, 'a', 1000);
	ck_assert_int_eq(disk_rename(d, "f", "g"), 0);
	disk_die_within(d, 1);
	ck_assert_int_eq(disk_write(d, f, "b", 1, 0), -EIO);
	ck_assert(d->dead);
	ck_assert_int_eq(disk_sync(d, f), -EIO);
	ck_assert_int_eq(disk_unlink(d, "g"), -EIO);
	ck_assert_int_eq(disk_truncate(d, f, 0), -EIO);
	disk_close(d, f);
	disk_boot(d, false);
	ck_assert_ptr_eq(disk_find(d, "g"), f);
	ck_assert_ptr_null(disk_find(d, "f"));
	ck_assert_uint_eq(count(f, 'a'), 1000);
	disk_free(d);
}
END_TEST

/* Names are as they were at some time since they were synced. */
START_TEST(names)
{
	unsigned old = 0, aside = 0, anew = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct disk *d = disk_new(seed);
		struct disk_file *f = made(d, "f"), *g;

		put_all(d, f, 'a', 10);
		disk_sync(d, f);
		g = made(d, "f.new");
		put_all(d, g, 'b', 10);
		disk_sync(d, g);
		ck_assert_int_eq(disk_link(d, "f", "f.old"), 0);
		ck_assert_int_eq(disk_link(d, "f", "f.old"), -EEXIST);
		ck_assert_int_eq(disk_rename(d, "f.new", "f"), 0);
		if (seed % 2)
			ck_assert_int_eq(disk_sync_names(d), 0);
		disk_close(d, f);
		disk_close(d, g);
		disk_boot(d, true);
		ck_assert(disk_find(d, "f") == f || disk_find(d, "f") == g);
		ck_assert(disk_find(d, "f") != g || disk_find(d, "f.old") == f);
		ck_assert(seed % 2 == 0 || disk_find(d, "f") == g);
		old += !disk_find(d, "f.old");
		aside += disk_find(d, "f.old") && disk_find(d, "f.new");
		anew += !disk_find(d, "f.new");
		disk_free(d);
	}
	ck_assert_msg(old > 20 && aside > 20 && anew > SEEDS / 2 + 20, "%u %u %u", old, aside,
		      anew);
}
END_TEST

START_TEST(failing_syncs)
{
	unsigned lost = 0, kept = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct disk *d = disk_new(seed);
		struct disk_file *f = made(d, "f");

		put_all(d, f, 'a', 1000);
		disk_sync(d, f);
		put_all(d, f, 'b', 1000);
		d->faults.sync = 1;
		ck_assert_int_eq(disk_sync(d, f), -EIO);
		ck_assert_uint_eq(count(f, 'b'), 1000);
		d->faults.sync = 0;
		ck_assert_int_eq(disk_sync(d, f), 0);
		disk_forget_cached(d, f);
		lost += count(f, 'b') < 1000;
		kept += count(f, 'b') == 1000;
		/* Bytes that are written anew are synced. */
		put_all(d, f, 'c', 1000);
		disk_sync(d, f);
		disk_close(d, f);
		disk_boot(d, true);
		ck_assert_uint_eq(count(f, 'c'), 1000);
		disk_free(d);
	}
	ck_assert_msg(lost > 50 && kept > 50, "%u %u", lost, kept);
}
END_TEST

START_TEST(lying_syncs)
{
	unsigned lost = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct disk *d = disk_new(seed);
		struct disk_file *f = made(d, "f");

		put_all(d, f, 'a', 1000);
		disk_sync(d, f);
		put_all(d, f, 'b', 1000);
		d->faults.lie = 1;
		ck_assert_int_eq(disk_sync(d, f), 0);
		ck_assert(disk_has_lied(d));
		disk_close(d, f);
		disk_boot(d, true);
		ck_assert(!disk_has_lied(d));
		lost += count(f, 'b') < 1000;
		disk_free(d);
	}
	ck_assert_msg(lost > 50, "%u", lost);
}
END_TEST

/*
 * After a kill, bytes that a sync has lied about are still only in the kernel's memory, until a
 * sync that works.
 */
START_TEST(a_lie_outlives_the_process)
{
	unsigned lost = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct disk *d = disk_new(seed);
		struct disk_file *f = made(d, "f");
		bool synced = seed % 2;

		d->faults.lie = 1;
		put_all(d, f, 'b', 1000);
		ck_assert_int_eq(disk_sync(d, f), 0);
		disk_boot(d, false);
		ck_assert(disk_has_lied(d));
		d->faults.lie = 0;
		if (synced)
			disk_sync(d, f);
		ck_assert(disk_has_lied(d) == !synced);
		disk_close(d, f);
		disk_boot(d, true);
		f = disk_find(d, "f");
		if (!f || count(f, 'b') < 1000)
			ck_assert(!synced && ++lost);
		disk_free(d);
	}
	ck_assert_msg(lost > 50, "%u", lost);
}
END_TEST

START_TEST(full)
{
	struct disk *d = disk_new(1);
	struct disk_file *f = made(d, "f"), *g = made(d, "g");
	char bytes[3 * DISK_BLOCK] = { 0 };

	d->faults.room = 4 * DISK_BLOCK;
	ck_assert_int_eq(disk_allocate(d, g, 2 * DISK_BLOCK), 0);
	ck_assert_int_eq(disk_write(d, f, bytes, sizeof(bytes), 0), 2 * DISK_BLOCK);
	ck_assert_int_eq(disk_write(d, f, bytes, 1, 2 * DISK_BLOCK), -ENOSPC);
	ck_assert_int_eq(disk_allocate(d, f, 3 * DISK_BLOCK), -ENOSPC);
	/* Bytes that are there can be overwritten, and reserved room can be written to. */
	ck_assert_int_eq(disk_write(d, f, "x", 1, 5), 1);
	ck_assert_int_eq(disk_write(d, g, bytes, 2 * DISK_BLOCK, 0), 2 * DISK_BLOCK);
	disk_truncate(d, g, 0);
	ck_assert_int_eq(disk_write(d, f, bytes, DISK_BLOCK, 2 * DISK_BLOCK), DISK_BLOCK);
	disk_close(d, f);
	disk_close(d, g);
	disk_free(d);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("disk");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, power_cut);
	tcase_add_test(tc, length_is_in_order);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, names);
	tcase_add_test(tc, failing_syncs);
	tcase_add_test(tc, lying_syncs);
	tcase_add_test(tc, a_lie_outlives_the_process);
	tcase_add_test(tc, full);
	return run_cases("disk", tc);
}
