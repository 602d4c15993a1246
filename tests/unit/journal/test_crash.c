/*
 * What a killed process has left, whole and damaged: a copy of the files while the database is open
 * is what a SIGKILL leaves.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "journal/load.h"
#include "journal/sqlite/crash.h"
#include "journal/sqlite/sqlite.h"
#include "journal/sqlite/synced.h"
#include "lib/database_files.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

static struct temp_dir top, dir;
static struct strbuf files[N_DATABASE_FILES]; /* as they were left */
static uint64_t last_commit;                  /* where in the WAL the last commit begins */
static uint64_t sure;                         /* and the third last */

static void write_all(void)
{
	for (unsigned i = 0; i < N_DATABASE_FILES; i++)
		database_file_write(&dir, i, strbuf_str(&files[i]));
}

static void push(struct storage *st, struct store *s, unsigned n)
{
	struct err err = { 0 };
	char path[40];

	snprintf(path, sizeof(path), "/j%u", n);
	CLEANUP(push_freep) struct push *p = make_push(PUSH_PUT, path, "a 1\n", n + 1);

	store_stage(s, p);
	ck_assert_msg(st->ops->commit(st, store_rows(s), &err) == STORAGE_COMMITTED, "%s", err.msg);
	store_publish(s);
}

enum { PUSHES = 20 };

/* A process that has committed 20 pushes, on top of a database that was closed with one. */
static void leave_files(void)
{
	struct store *s = store_new(&(struct store_limits){ 1000, 100000 });
	struct storage *st;
	struct err err = { 0 };

	temp_dir_make_inside(&dir, &top);
	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPENED);
	push(st, s, 0);
	st->ops->close(st);
	ck_assert_int_eq(access(database_file_name(&dir, WAL_FILE), F_OK), -1);
	ck_assert_int_eq(access(database_file_name(&dir, NOTE_FILE), F_OK), -1);
	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPENED);
	for (unsigned i = 1; i < PUSHES; i++) {
		database_file_read(&dir, WAL_FILE, &files[WAL_FILE]);
		sure = i == PUSHES - 2 ? files[WAL_FILE].n : sure;
		push(st, s, i);
	}
	database_file_read(&dir, WAL_FILE, &files[WAL_FILE]);
	last_commit = files[WAL_FILE].n;
	push(st, s, PUSHES);
	for (unsigned i = 0; i < N_DATABASE_FILES; i++)
		database_file_read(&dir, i, &files[i]);
	st->ops->close(st);
	store_free(s);
	temp_dir_make_inside(&dir, &top);
	write_all();
}

static uint64_t groups_loaded(void)
{
	struct store *s = store_new(&(struct store_limits){ 1000, 100000 });
	struct storage *st;
	struct err err = { 0 };
	uint64_t n = UINT64_MAX;

	if (sqlite_storage_open(dir.db, &st, &err) == SQLITE_OPENED) {
		if (load_store(st, s, &err) == STORAGE_LOADED)
			n = store_counts(s).groups;
		st->ops->close(st);
	}
	store_free(s);
	return n;
}

static void check_look(const char *what, size_t at, enum crash_result want, const char *message)
{
	struct err err = { 0 };
	bool wal;
	enum crash_result r = crash_look(dir.db, &wal, &err);

	ck_assert_msg(r == want, "%s at %zu: %d %s", what, at, (int)r, err.msg);
	if (message)
		ck_assert_msg(strstr(err.msg, message), "%s at %zu: %s", what, at, err.msg);
	if (want != CRASH_DAMAGED)
		return;
	/* And so says who opens it. */
	struct storage *st;

	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPEN_DAMAGED);
}

START_TEST(whole)
{
	check_look("whole", 0, CRASH_SOUND, NULL);
	ck_assert_uint_eq(groups_loaded(), PUSHES + 1);
	/* Closed: one file, which is whole without the others. */
	ck_assert_int_eq(access(database_file_name(&dir, WAL_FILE), F_OK), -1);
	ck_assert_int_eq(access(database_file_name(&dir, NOTE_FILE), F_OK), -1);
	check_look("closed", 0, CRASH_SOUND, NULL);
	ck_assert_uint_eq(groups_loaded(), PUSHES + 1);
}
END_TEST

START_TEST(no_wal)
{
	ck_assert_int_eq(unlink(database_file_name(&dir, WAL_FILE)), 0);
	check_look("no WAL", 0, CRASH_DAMAGED, "-wal is missing");
	ck_assert_int_eq(unlink(database_file_name(&dir, NOTE_FILE)), 0);
	check_look("a copy of the database alone", 0, CRASH_DAMAGED, "-wal is missing");
	database_file_write(&dir, WAL_FILE, STR(""));
	check_look("an empty WAL", 0, CRASH_DAMAGED, "-wal is missing");
}
END_TEST

START_TEST(no_database)
{
	database_file_write(&dir, 0, STR(""));
	check_look("empty", 0, CRASH_DAMAGED, "database is missing or empty");
	ck_assert_int_eq(unlink(dir.db), 0);
	check_look("missing", 0, CRASH_DAMAGED, "database is missing or empty");
}
END_TEST

/* One bit anywhere in the WAL. */
START_TEST(flipped_bit)
{
	CLEANUP(freep) char *copy = mem_dup(files[WAL_FILE].p, files[WAL_FILE].n);
	size_t n = files[WAL_FILE].n;
	uint64_t rng = (uint64_t)_i + 1;

	for (int i = 0; i < 100; i++) {
		size_t at = _i == 0 && i < 32 ? (size_t)i : rng_next(&rng) % n;
		char bit = (char)(1 << rng_below(&rng, 8));

		/* Some in what the process has committed last. */
		if (_i > 0 && i < 30)
			at = last_commit + rng_next(&rng) % (n - last_commit);
		copy[at] ^= bit;
		write_all();
		database_file_write(&dir, WAL_FILE, (struct str){ copy, n });
		check_look("flipped", at, CRASH_DAMAGED, "-wal");
		copy[at] ^= bit;
	}
}
END_TEST

/* The note may be gone, or from before a power cut: then the last commit is in doubt. */
START_TEST(flipped_bit_without_a_note)
{
	CLEANUP(freep) char *copy = mem_dup(files[WAL_FILE].p, files[WAL_FILE].n);
	size_t n = files[WAL_FILE].n;
	uint64_t rng = 7;

	for (int i = 0; i < 100; i++) {
		size_t at = rng_next(&rng) % last_commit;
		char bit = (char)(1 << rng_below(&rng, 8));

		copy[at] ^= bit;
		write_all();
		ck_assert_int_eq(unlink(database_file_name(&dir, NOTE_FILE)), 0);
		database_file_write(&dir, WAL_FILE, (struct str){ copy, n });
		struct err err = { 0 };
		bool wal;
		enum crash_result r = crash_look(dir.db, &wal, &err);

		/* Of the two before it may be all that says that they ended one. */
		ck_assert_msg(r == CRASH_DAMAGED || (at >= sure && r == CRASH_DOUBT), "at %zu: %d",
			      at, (int)r);
		ck_assert_msg(strstr(err.msg, "-wal"), "%s", err.msg);
		copy[at] ^= bit;
	}
	copy[last_commit + WAL_FRAME_HEADER + 7] ^= 1;
	write_all();
	ck_assert_int_eq(unlink(database_file_name(&dir, NOTE_FILE)), 0);
	database_file_write(&dir, WAL_FILE, (struct str){ copy, n });
	check_look("last commit", last_commit, CRASH_DOUBT, "a commit that is not whole");
	ck_assert_uint_eq(groups_loaded(), PUSHES);
}
END_TEST

START_TEST(cut)
{
	for (size_t n = 0; n < files[WAL_FILE].n; n += n < 100 ? 7 : 1999) {
		write_all();
		database_file_write(&dir, WAL_FILE, (struct str){ files[WAL_FILE].p, n });
		check_look("cut", n, CRASH_DAMAGED, "-wal");
	}
	write_all();
	database_file_write(&dir, WAL_FILE, (struct str){ files[WAL_FILE].p, last_commit });
	check_look("cut before the last commit", 0, CRASH_DAMAGED, "is cut off");
}
END_TEST

/* What was not synced yet when the process was killed is no damage, whatever of it is there. */
START_TEST(more_than_was_synced)
{
	CLEANUP(strbuf_done) struct strbuf longer = { 0 };
	const struct strbuf *wal = &files[WAL_FILE];
	size_t frames = wal->n - last_commit;

	strbuf_adds(&longer, strbuf_str(wal));
	/* Frames of this generation that do not fit, the last of which ends a commit. */
	strbuf_add(&longer, wal->p + last_commit, frames);
	for (size_t n = wal->n; n <= longer.n; n += 1009) {
		write_all();
		database_file_write(&dir, WAL_FILE, (struct str){ longer.p, n });
		check_look("longer", n, CRASH_SOUND, NULL);
	}
	write_all();
	database_file_write(&dir, WAL_FILE, strbuf_str(&longer));
	ck_assert_uint_eq(groups_loaded(), PUSHES + 1);
	/* Two commits: each is synced before the next one is written. */
	strbuf_add(&longer, wal->p + last_commit, frames);
	write_all();
	database_file_write(&dir, WAL_FILE, strbuf_str(&longer));
	check_look("two commits", 0, CRASH_DAMAGED, "-wal is damaged");
}
END_TEST

/* Says that the database was not closed, with that WAL and no note. */
static void leave_wal(struct str wal)
{
	write_all();
	ck_assert_int_eq(unlink(database_file_name(&dir, NOTE_FILE)), 0);
	database_file_write(&dir, WAL_FILE, wal);
}

/* Of many pages. */
static void push_large(struct storage *st, struct store *s)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct err err = { 0 };

	for (int i = 0; i < 3000; i++)
		strbuf_addf(&text, "large{i=\"%d\"} %d\n", i * 7919, i * 104729);
	CLEANUP(push_freep) struct push *p = make_push(PUSH_PUT, "/large", strbuf_z(&text), 1000);

	store_stage(s, p);
	ck_assert_msg(st->ops->commit(st, store_rows(s), &err) == STORAGE_COMMITTED, "%s", err.msg);
	store_publish(s);
}

/*
 * A power cut that tears the header of a frame leaves what the older frame there has said, that it
 * ends a commit, beside the salt of the new one, which was in the middle of its own. Without one
 * no header is torn.
 */
START_TEST(torn_mark)
{
	const size_t frame = WAL_FRAME_HEADER + 4096;
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };
	struct store *s = store_new(&(struct store_limits){ 1000, 100000 });
	struct err err = { 0 };
	struct storage *st;

	temp_dir_make_inside(&dir, &top);
	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPENED);
	push(st, s, 0);
	database_file_read(&dir, WAL_FILE, &wal);
	size_t begin = wal.n;

	push_large(st, s);
	for (unsigned i = 0; i < N_DATABASE_FILES; i++)
		database_file_read(&dir, i, i == WAL_FILE ? &wal : &files[i]);
	st->ops->close(st);
	store_free(s);
	/* Two pages before the torn one have not come, or one, or none. */
	ck_assert_uint_gt(wal.n, begin + 4 * frame);
	memcpy(wal.p + begin + 2 * frame, "\0\0\0\5\0\0\0\5", 8);
	for (size_t n = 0; n < 3; n++) {
		memset(wal.p + begin + (2 - n) * frame, 0, n * frame);
		leave_wal(strbuf_str(&wal));
		check_look("torn", n, CRASH_DOUBT, "a commit that is not whole");
		ck_assert_uint_eq(groups_loaded(), 1);
	}
	write_all();
	database_file_write(&dir, WAL_FILE, strbuf_str(&wal));
	check_look("no power cut", 0, CRASH_DAMAGED, "-wal is damaged");
}
END_TEST

/* What a commit has left that was not whole is not there any more beside the frames of the next,
 * which may not be whole either: together they would look like two commits. */
START_TEST(what_was_not_committed_goes)
{
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };
	CLEANUP(strbuf_done) struct strbuf left = { 0 };
	struct store *s = store_new(&(struct store_limits){ 1000, 100000 });
	struct wal_generation before, after;
	struct err err = { 0 };
	struct storage *st;

	strbuf_adds(&wal, strbuf_str(&files[WAL_FILE]));
	wal.p[last_commit + WAL_FRAME_HEADER + 7] ^= 1;
	leave_wal(strbuf_str(&wal));
	check_look("last commit", last_commit, CRASH_DOUBT, "a commit that is not whole");
	database_file_read(&dir, WAL_FILE, &left);
	ck_assert_uint_eq(left.n, last_commit);
	check_look("what is left", 0, CRASH_SOUND, NULL);

	/* SQLite goes on counting from the header of a WAL without any commit. */
	wal.p[WAL_HEADER + WAL_FRAME_HEADER + 7] ^= 1;
	wal.n = WAL_HEADER + WAL_FRAME_HEADER + 4096;
	leave_wal(strbuf_str(&wal));
	check_look("first commit", 0, CRASH_SOUND, NULL);
	database_file_read(&dir, WAL_FILE, &left);
	ck_assert_uint_lt(left.n, WAL_HEADER + WAL_FRAME_HEADER);
	ck_assert(wal_read_header((const unsigned char *)left.p, &before));
	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPENED);
	ck_assert_int_eq(load_store(st, s, &err), STORAGE_LOADED);
	push(st, s, 100);
	database_file_read(&dir, WAL_FILE, &left);
	st->ops->close(st);
	store_free(s);
	ck_assert(wal_read_header((const unsigned char *)left.p, &after));
	ck_assert_uint_gt(before.number, 0);
	ck_assert_uint_gt(after.number, before.number);
}
END_TEST

static void write_note(int number, int salt, uint64_t end)
{
	struct wal_generation is = { 0 };
	int fd = synced_open(database_file_name(&dir, NOTE_FILE));

	ck_assert(wal_read_header((const unsigned char *)files[WAL_FILE].p, &is));
	is.number += (uint32_t)number;
	is.salt[1] ^= (uint32_t)salt;
	synced_write(fd, &is, end);
	close(fd);
}

START_TEST(notes)
{
	uint64_t end = files[WAL_FILE].n;

	write_note(0, 0, end);
	check_look("the note as it is", 0, CRASH_SOUND, NULL);
	write_note(0, 0, last_commit);
	check_look("from before the last sync", 0, CRASH_SOUND, NULL);
	write_note(0, 0, end + 1);
	check_look("more than there is", 0, CRASH_DAMAGED, "is cut off");
	write_note(-1, 1, end + 100000);
	check_look("of the WAL before it was begun anew", 0, CRASH_SOUND, NULL);
	write_note(1, 1, 32);
	check_look("of a later WAL", 0, CRASH_DAMAGED, "is another one");
	write_note(0, 1, 32);
	check_look("of another WAL", 0, CRASH_DAMAGED, "is another one");
	for (size_t n = 0; n < files[NOTE_FILE].n; n++) {
		CLEANUP(freep) char *copy = mem_dup(files[NOTE_FILE].p, files[NOTE_FILE].n);

		copy[n] ^= 4;
		database_file_write(&dir, NOTE_FILE, (struct str){ copy, files[NOTE_FILE].n });
		check_look("a damaged note", n, CRASH_SOUND, NULL);
		database_file_write(&dir, NOTE_FILE, (struct str){ files[NOTE_FILE].p, n });
		check_look("a note cut short", n, CRASH_SOUND, NULL);
	}
}
END_TEST

/* What a power cut leaves of a WAL that was being begun anew. SQLite goes on with its salt, and the
 * old frames would seem to be behind the new ones. */
START_TEST(torn_header)
{
	struct strbuf *wal = &files[WAL_FILE];
	CLEANUP(strbuf_done) struct strbuf left = { 0 };

	write_note(0, 0, WAL_HEADER);
	wal->p[15] ^= 1;
	database_file_write(&dir, WAL_FILE, strbuf_str(wal));
	check_look("torn", 0, CRASH_SOUND, NULL);
	database_file_read(&dir, WAL_FILE, &left);
	ck_assert_uint_eq(left.n, WAL_LEAST);
	check_look("once more", 0, CRASH_SOUND, NULL);
	/* The note says that all of it is needed. */
	wal->p[15] ^= 1;
	write_note(0, 0, wal->n);
	check_look("damaged", 0, CRASH_DAMAGED, "has a damaged header");
}
END_TEST

/* The header of the WAL that comes after this one, as it would be if all of this were in the
 * database: SQLite counts the number and the first salt up. The rest is another one, too. */
static void next_header(char ret[WAL_HEADER])
{
	memcpy(ret, files[WAL_FILE].p, WAL_HEADER);
	ret[15]++;
	ret[19]++;
	for (int i = 20; i < WAL_HEADER; i++)
		ret[i] = (char)(ret[i] + 37 + i);
}

/* A power cut may have taken what was noted, too. The old header follows from the first frame. */
START_TEST(torn_header_without_a_note)
{
	char *wal = files[WAL_FILE].p, next[WAL_HEADER], was[WAL_HEADER];
	CLEANUP(strbuf_done) struct strbuf left = { 0 };

	memcpy(was, wal, WAL_HEADER);
	next_header(next);
	for (size_t i = 13; i < WAL_HEADER; i++) {
		bool first = _i == 0;

		memcpy(wal, first ? next : was, i);
		memcpy(wal + i, (first ? was : next) + i, WAL_HEADER - i);
		leave_wal(strbuf_str(&files[WAL_FILE]));
		if (memcmp(wal, was, WAL_HEADER) != 0)
			check_look("torn", i, CRASH_MENDED, "-wal has a damaged header");
		database_file_read(&dir, WAL_FILE, &left);
		ck_assert_mem_eq(left.p, was, WAL_HEADER);
		ck_assert_uint_eq(groups_loaded(), PUSHES + 1);
	}
	/* Its first frame is damaged, too: nothing follows from that. */
	memcpy(wal, next, WAL_HEADER - 1);
	wal[WAL_HEADER + WAL_FRAME_HEADER + 700] ^= 1;
	leave_wal(strbuf_str(&files[WAL_FILE]));
	check_look("a frame, too", 0, CRASH_DAMAGED, "-wal has a damaged header");
	/* There was none. */
	leave_wal((struct str){ wal, WAL_LEAST });
	check_look("without frames", 0, CRASH_SOUND, NULL);
}
END_TEST

/* A database that is in use has a WAL that changes: not to be judged. */
START_TEST(in_use)
{
	struct storage *st;
	struct store *s = store_new(&(struct store_limits){ 1000, 100000 });
	struct err err = { 0 };

	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPENED);
	ck_assert_int_eq(load_store(st, s, &err), STORAGE_LOADED);
	push(st, s, 100);
	struct strbuf wal = files[WAL_FILE];

	database_file_write(&dir, WAL_FILE, (struct str){ wal.p, wal.n / 2 });
	bool had;

	ck_assert_int_eq(crash_look(dir.db, &had, &err), CRASH_IN_USE);
	/* But who uses it finds out. */
	CLEANUP(push_freep) struct push *p = make_push(PUSH_PUT, "/k", "a 1\n", 1000);

	store_stage(s, p);
	ck_assert_int_eq(st->ops->commit(st, store_rows(s), &err), STORAGE_REFUSED);
	store_rollback(s);
	st->ops->close(st);
	store_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("crash");
	int failed;

	temp_dir_make(&top);
	tcase_set_timeout(tc, 100);
	tcase_add_checked_fixture(tc, leave_files, NULL);
	tcase_add_test(tc, whole);
	tcase_add_test(tc, no_wal);
	tcase_add_test(tc, no_database);
	tcase_add_loop_test(tc, flipped_bit, 0, 3);
	tcase_add_test(tc, flipped_bit_without_a_note);
	tcase_add_test(tc, cut);
	tcase_add_test(tc, more_than_was_synced);
	tcase_add_test(tc, torn_mark);
	tcase_add_test(tc, what_was_not_committed_goes);
	tcase_add_test(tc, notes);
	tcase_add_test(tc, torn_header);
	tcase_add_loop_test(tc, torn_header_without_a_note, 0, 2);
	tcase_add_test(tc, in_use);
	failed = run_cases("crash", tc);
	temp_dir_remove(&top);
	return failed;
}
