/*
 * Rows taken out of damaged databases: whatever the bytes are, nothing is read that was not
 * written, and of what is whole nothing is missing.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "journal/load.h"
#include "journal/salvage.h"
#include "journal/sqlite/carve.h"
#include "journal/sqlite/sqlite.h"
#include "journal/sqlite/wal.h"
#include "lib/database_files.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

enum { GROUPS = 60, PAGE = 4096 };

static struct temp_dir top, dir;
static struct strbuf files[N_DATABASE_FILES]; /* as a killed process leaves them */
static char *whole;                           /* what they show */

static struct store *new_store(void)
{
	return store_new(&(struct store_limits){ 1000, 100000 });
}

static void push(struct storage *st, struct store *s, unsigned n)
{
	struct err err = { 0 };
	char path[40], body[12000];

	snprintf(path, sizeof(path), "/j%u", n % GROUPS);
	/* Some bodies of several pages. */
	snprintf(body, sizeof(body), "a{x=\"%0*u\"} %u\n", n % 10 == 3 ? 9000 : 50, n, n);
	CLEANUP(push_freep) struct push *p = make_push(PUSH_PUT, path, body, n + 1);

	store_stage(s, p);
	ck_assert_msg(st->ops->commit(st, store_rows(s), &err) == STORAGE_COMMITTED, "%s", err.msg);
	store_publish(s);
}

/* Half of it is in the database, the rest in the WAL. */
static void leave_files(void)
{
	struct store *s = new_store();
	struct strbuf text = { 0 };
	struct storage *st;
	struct err err = { 0 };

	temp_dir_make_inside(&dir, &top);
	for (unsigned half = 0; half < 2; half++) {
		ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPENED);
		for (unsigned i = half * GROUPS / 2; i < (half + 1) * GROUPS / 2; i++)
			push(st, s, i);
		for (unsigned i = 0; half == 1 && i < N_DATABASE_FILES; i++)
			database_file_read(&dir, i, &files[i]);
		st->ops->close(st);
	}
	exposed_add(s, &text);
	strbuf_z(&text);
	whole = text.p;
	store_free(s);
	temp_dir_make_inside(&dir, &top);
	for (unsigned i = 0; i < N_DATABASE_FILES; i++)
		database_file_write(&dir, i, strbuf_str(&files[i]));
}

static struct store *salvage(struct salvage_counts *ret)
{
	struct salvage *sv = salvage_new();
	struct store *s = new_store();
	struct err err = { 0 };

	ck_assert_msg(carve_rows(dir.db, salvage_row, sv, &err) == 0, "%s", err.msg);
	ck_assert_msg(salvage_into(sv, s, ret, &err) == 0, "%s", err.msg);
	salvage_free(sv);
	return s;
}

START_TEST(nothing_is_missing_of_what_is_whole)
{
	struct strbuf text = { 0 };
	struct salvage_counts n;
	struct store *s = salvage(&n);

	exposed_add(s, &text);
	ck_assert_str_eq(strbuf_z(&text), whole);
	ck_assert_uint_eq(n.rows_lost + n.groups_lost, 0);
	/* A group and a record for each push. */
	ck_assert_uint_eq(n.rows, 2ULL * GROUPS);
	strbuf_done(&text);
	store_free(s);
}
END_TEST

/* Every sample is one that was pushed: of the group of that number, with its value. */
static void check_true(struct store *s, const char *what)
{
	struct strbuf all = { 0 };
	char *rest;

	/* With the times of pushes: a group is not shown without one. */
	exposed_add(s, &all);
	strbuf_z(&all);
	CLEANUP(freep) char *text = all.p;

	rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (line[0] && line[0] != '#')
			ck_assert_msg(strstr(whole, line) != NULL, "%s: %s", what, line);
}

START_TEST(flipped_bits)
{
	uint64_t rng = (uint64_t)_i + 1, groups = 0;

	for (int i = 0; i < 150; i++) {
		unsigned file = rng_below(&rng, 2);
		CLEANUP(freep) char *copy = mem_dup(files[file].p, files[file].n);
		struct salvage_counts n;
		unsigned flips = 1u << rng_below(&rng, 11);

		while (flips--)
			copy[rng_next(&rng) % files[file].n] ^= (char)(1 << rng_below(&rng, 8));
		database_file_write(&dir, file, (struct str){ copy, files[file].n });
		struct store *s = salvage(&n);

		check_true(s, "flipped");
		groups += store_counts(s).groups;
		store_free(s);
		database_file_write(&dir, file, strbuf_str(&files[file]));
	}
	/* Many flips, but most of it is still there. */
	ck_assert_uint_gt(groups, 150 * GROUPS / 2);
}
END_TEST

/* Pages that hold anything, also pieces of others. */
START_TEST(garbled_pages)
{
	uint64_t rng = (uint64_t)_i + 100;

	for (int i = 0; i < 100; i++) {
		CLEANUP(freep) char *copy = mem_dup(files[0].p, files[0].n);
		size_t pages = files[0].n / PAGE;
		struct salvage_counts n;

		for (unsigned k = 0; k < 4; k++) {
			char *to = copy + (size_t)PAGE * rng_below(&rng, (uint32_t)pages);

			if (rng_one_in(&rng, 2)) {
				memcpy(to, copy + (size_t)PAGE * rng_below(&rng, (uint32_t)pages),
				       PAGE);
				continue;
			}
			for (size_t at = rng_below(&rng, 64); at < PAGE; at += rng_below(&rng, 9))
				to[at++] = (char)rng_next(&rng);
		}
		database_file_write(&dir, 0, (struct str){ copy, files[0].n });
		struct store *s = salvage(&n);

		check_true(s, "garbled");
		store_free(s);
	}
}
END_TEST

START_TEST(cut_anywhere)
{
	for (unsigned file = 0; file < 2; file++) {
		for (size_t n = 0; n < files[file].n; n += 1999) {
			struct salvage_counts counts;

			database_file_write(&dir, file, (struct str){ files[file].p, n });
			struct store *s = salvage(&counts);

			check_true(s, "cut");
			store_free(s);
		}
		database_file_write(&dir, file, strbuf_str(&files[file]));
	}
}
END_TEST

/* The frame that is damaged is not the last: what follows it is read all the same. */
START_TEST(behind_a_damaged_frame)
{
	CLEANUP(freep) char *copy = mem_dup(files[1].p, files[1].n);
	struct salvage_counts n;

	copy[WAL_HEADER + WAL_FRAME_HEADER + 2000] ^= 1;
	database_file_write(&dir, 1, (struct str){ copy, files[1].n });
	struct store *s = salvage(&n);

	ck_assert_uint_ge(store_counts(s).groups, GROUPS - 1);
	check_true(s, "behind");
	store_free(s);
}
END_TEST

/* One more process, which is killed. */
static void live(struct store *s, bool pushes)
{
	struct storage *st;
	struct err err = { 0 };
	const struct rows *rows;
	/* It is refused: the group's failure time is one row, in one page. */
	CLEANUP(push_freep)
	struct push *p = make_push(PUSH_PUT, "/j5", "# TYPE a counter\na 1\n", 2000);

	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPENED);
	if (pushes)
		store_stage(s, p);
	rows = pushes ? store_rows(s) : store_beat_rows(s, 3000);
	ck_assert_int_eq(st->ops->commit(st, rows, &err), STORAGE_COMMITTED);
	store_publish(s);
	for (unsigned i = 0; i < N_DATABASE_FILES; i++)
		database_file_read(&dir, i, &files[i]);
	st->ops->close(st);
	temp_dir_make_inside(&dir, &top);
	for (unsigned i = 0; i < N_DATABASE_FILES; i++)
		database_file_write(&dir, i, strbuf_str(&files[i]));
}

static bool is_of_first_frame(const char *frame)
{
	return memcmp(frame + 8, files[WAL_FILE].p + WAL_HEADER + 8, 8) == 0;
}

/* A WAL was written into the database twice, and begun anew: behind its one new frame there are
 * some from before what is in the database. */
START_TEST(behind_a_damaged_header_no_older_frames)
{
	struct strbuf is = { 0 }, want = { 0 };
	struct salvage_counts counts;
	struct store *s = salvage(&counts), *read;
	char *wal;

	live(s, true);
	live(s, false);
	wal = files[WAL_FILE].p;
	ck_assert_uint_gt(files[WAL_FILE].n, WAL_HEADER + 10 * (WAL_FRAME_HEADER + PAGE));
	ck_assert(!is_of_first_frame(wal + WAL_HEADER + WAL_FRAME_HEADER + PAGE));
	exposed_add(s, &want);
	memset(wal + 12, 0, WAL_HEADER - 12);
	/* The frame, too. */
	if (_i == 1)
		wal[WAL_HEADER + WAL_FRAME_HEADER + 1000] ^= 1;
	database_file_write(&dir, WAL_FILE, strbuf_str(&files[WAL_FILE]));
	/* With it the new frame would be taken in any case, and hide the old ones. */
	ck_assert_int_eq(unlink(database_file_name(&dir, NOTE_FILE)), 0);
	read = salvage(&counts);
	exposed_add(read, &is);
	ck_assert_str_eq(strbuf_z(&is), strbuf_z(&want));
	strbuf_done(&is);
	strbuf_done(&want);
	store_free(read);
	store_free(s);
}
END_TEST

START_TEST(no_files)
{
	struct salvage_counts n;

	for (unsigned i = 0; i < N_DATABASE_FILES; i++)
		ck_assert_int_eq(unlink(database_file_name(&dir, i)), 0);
	struct store *s = salvage(&n);

	ck_assert_uint_eq(store_counts(s).groups + n.rows, 0);
	store_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("salvage");
	int failed;

	temp_dir_make(&top);
	tcase_set_timeout(tc, 100);
	tcase_add_checked_fixture(tc, leave_files, NULL);
	tcase_add_test(tc, nothing_is_missing_of_what_is_whole);
	tcase_add_loop_test(tc, flipped_bits, 0, 2);
	tcase_add_loop_test(tc, garbled_pages, 0, 2);
	tcase_add_test(tc, cut_anywhere);
	tcase_add_test(tc, behind_a_damaged_frame);
	tcase_add_loop_test(tc, behind_a_damaged_header_no_older_frames, 0, 2);
	tcase_add_test(tc, no_files);
	failed = run_cases("salvage", tc);
	temp_dir_remove(&top);
	return failed;
}
