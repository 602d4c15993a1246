/*
 * Files that are not what we wrote: of a newer version, of another program, or damaged in any way.
 * None may crash us, hang us, or be overwritten.
 */
#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "journal/load.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/migrate.h"
#include "journal/sqlite/sqlite.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

static struct temp_dir top, dir;

static void make_dir(void)
{
	temp_dir_make_inside(&dir, &top);
}

static void read_file(const char *path, struct strbuf *out)
{
	FILE *f = fopen(path, "re");
	char chunk[8192];
	size_t n;

	ck_assert_ptr_nonnull(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		strbuf_add(out, chunk, n);
	fclose(f);
}

static void write_file(const char *path, struct str content)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(content.p, 1, content.n, f), content.n);
	ck_assert_int_eq(fclose(f), 0);
}

/* What opening and loading come to; *ret_text is what then would be exposed, or NULL. */
static enum storage_load_result open_and_load(struct err *err, char **ret_text)
{
	struct strbuf text = { 0 };
	struct storage *st;
	enum sqlite_open_result opened = sqlite_storage_open(dir.db, &st, err);

	*ret_text = NULL;
	if (opened != SQLITE_OPENED)
		return opened == SQLITE_OPEN_DAMAGED ? STORAGE_DAMAGED : STORAGE_FAILED;
	struct store *s = store_new(&(struct store_limits){ 100000, 1000000 });
	enum storage_load_result r = load_store(st, s, err);

	if (r == STORAGE_LOADED) {
		exposed_add(s, &text);
		strbuf_z(&text);
		*ret_text = text.p;
	}
	store_free(s);
	st->ops->close(st);
	return r;
}

static void check_result(const char *name, enum storage_load_result want, const char *message)
{
	struct err err = { 0 };
	char *text;
	enum storage_load_result r = open_and_load(&err, &text);

	free(text);
	ck_assert_msg(r == want, "%s: %d %s", name, r, err.msg);
	if (want != STORAGE_LOADED)
		ck_assert_msg(err.reason != ERR_NONE && strstr(err.msg, message), "%s: %s", name,
			      err.msg);
}

static void fill(unsigned groups)
{
	struct store *s = store_new(&(struct store_limits){ 100000, 1000000 });
	struct storage *st;
	struct err err = { 0 };

	ck_assert_int_eq(sqlite_storage_open(dir.db, &st, &err), SQLITE_OPENED);
	for (unsigned i = 0; i < groups; i++) {
		char path[40], body[6000];

		snprintf(path, sizeof(path), "/j/g/%u", i);
		/* Some bodies of more than a page. */
		snprintf(body, sizeof(body), "a{x=\"%0*u\"} %u\n# TYPE b counter\nb 1\n",
			 i % 10 == 3 ? 5000 : 50, i, i);
		CLEANUP(push_freep) struct push *p = make_push(PUSH_PUT, path, body, i + 1);

		store_stage(s, p);
		ck_assert_int_eq(st->ops->commit(st, store_rows(s), &err), STORAGE_COMMITTED);
		store_publish(s);
	}
	store_free(s);
	st->ops->close(st);
}

static void run_sql(const char *sql)
{
	sqlite3 *db;
	char *message = NULL;

	ck_assert_int_eq(sqlite3_open(dir.db, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s", sql,
		      message);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* Files that others made: refused, and not one byte of them is changed. */
static const struct {
	const char *name;
	bool ours;
	const char *sql, *message;
} refused[] = {
	{ "newer schema", true, "PRAGMA user_version=7",
	  "newer version (schema 7, this one knows 4)" },
	{ "newer schema that is one bit off", true,
	  "PRAGMA user_version=67108868; ALTER TABLE log ADD COLUMN more", "newer version" },
	/* What that version would find there is not known. */
	{ "newer schema that was not closed", true,
	  "PRAGMA user_version=7; PRAGMA application_id=1413565519", "newer version" },
	{ "newer schema that SQLite cannot read", true,
	  "PRAGMA user_version=7; PRAGMA writable_schema=1; UPDATE sqlite_schema SET sql='?'",
	  "newer version" },
	{ "much newer schema", true, "PRAGMA user_version=2147483647", "newer version" },
	{ "other program", false, "CREATE TABLE t (x)", "another program" },
	{ "other program with a version", false, "CREATE TABLE t (x); PRAGMA user_version=1",
	  "another program" },
	{ "other program with an id", false, "CREATE TABLE t (x); PRAGMA application_id=7",
	  "another program" },
	{ "other program's view", false, "CREATE VIEW v AS SELECT 1", "another program" },
};

START_TEST(refused_row)
{
	CLEANUP(strbuf_done) struct strbuf before = { 0 };
	CLEANUP(strbuf_done) struct strbuf after = { 0 };

	if (refused[_i].ours)
		fill(3);
	run_sql(refused[_i].sql);
	read_file(dir.db, &before);
	check_result(refused[_i].name, STORAGE_FAILED, refused[_i].message);
	read_file(dir.db, &after);
	/* The journal mode stands in bytes 18 and 19, a change counter in 24 to 27 and 92 to 99. */
	ck_assert_msg(before.n == after.n &&
			      memcmp(before.p + 100, after.p + 100, after.n - 100) == 0,
		      "%s: changed", refused[_i].name);
}
END_TEST

/* Rows that contradict each other or cannot be ours, in a file that SQLite finds in order. */
static const struct {
	const char *name, *sql;
} rows[] = {
	{ "another key", "UPDATE log SET body = x'6a6f62ff7aff' WHERE number = 1" },
	{ "no key", "UPDATE log SET body = x'' WHERE number = 1" },
	{ "another group", "UPDATE log SET group_id = 3 WHERE number = 2" },
	{ "another kind", "UPDATE log SET kind = 3 WHERE number = 2" },
	{ "a kind that there is not", "UPDATE log SET kind = 9 WHERE number = 2" },
	{ "another time", "UPDATE log SET at = 9 WHERE number = 2" },
	{ "said to be moved", "UPDATE log SET moved = 1 WHERE number = 2" },
	{ "another checksum", "UPDATE log SET checksum = checksum + 1 WHERE number = 4" },
	{ "body that is none", "UPDATE log SET body = x'ffff' WHERE number = 2" },
	{ "body cut short",
	  "UPDATE log SET body = substr(body, 1, length(body) - 1) WHERE number = 2" },
	{ "body as text", "UPDATE log SET body = 'x' WHERE number = 2" },
	{ "a row less", "DELETE FROM log WHERE number = 3" },
	{ "rows less", "DELETE FROM log WHERE number IN (2, 3, 4)" },
	{ "row with another number", "UPDATE log SET number = -5 WHERE number = 1" },
	{ "row with a later number", "UPDATE log SET number = 100 WHERE number = 6" },
	{ "two rows that have changed places",
	  "UPDATE log SET number = 100 WHERE number = 2; UPDATE log SET number = 2 WHERE number = "
	  "4; UPDATE log SET number = 4 WHERE number = 100" },
	{ "group whose row is missing", "DELETE FROM log WHERE number = 1" },
	{ "no such table", "DROP TABLE log" },
	{ "our id with a wrong bit", "PRAGMA application_id=0x54414C58" },
};

START_TEST(rows_that_contradict)
{
	struct err err = { 0 };
	char *text;

	fill(3);
	run_sql(rows[_i].sql);
	enum storage_load_result r = open_and_load(&err, &text);

	free(text);
	ck_assert_msg(r != STORAGE_LOADED && err.msg[0], "%s: loaded", rows[_i].name);
	ck_assert_msg(r == STORAGE_DAMAGED, "%s: %s", rows[_i].name, err.msg);
}
END_TEST

/* Beginnings of a database, and nothing else. */
static const struct {
	const char *name;
	struct str content;
} garbage[] = {
	{ "magic alone", { "SQLite format 3\0", 16 } },
	{ "magic and zeros", { "SQLite format 3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 30 } },
};

START_TEST(garbage_row)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	struct err err = { 0 };
	char aside[200];

	write_file(dir.db, garbage[_i].content);
	check_result(garbage[_i].name, STORAGE_DAMAGED, "");
	ck_assert_msg(db_file_set_aside(dir.db, aside, sizeof(aside), &err) == 0, "%s", err.msg);
	read_file(aside, &kept);
	ck_assert(str_eq(strbuf_str(&kept), garbage[_i].content));
	check_result("afterwards", STORAGE_LOADED, "");
}
END_TEST

/* Somebody's file that is no database, and one that is damaged but not ours: not touched. */
static const struct {
	struct str begin;
	size_t size;
	const char *message;
} not_ours[] = {
	{ { "global:\n  scrape_interval: 15s\n", 31 }, 31, "neither a database" },
	{ { "S", 1 }, 1, "neither a database" },
	{ { "", 0 }, 4096, "neither a database" },
	{ { "SQLite gormat 2", 15 }, 4096, "neither a database" },
	{ { "SQLite format 3\0\20\0\1", 19 }, 70000, "a damaged database of another program" },
};

START_TEST(not_ours_row)
{
	CLEANUP(strbuf_done) struct strbuf after = { 0 };
	CLEANUP(freep) char *content = mem_zalloc(not_ours[_i].size);

	memcpy(content, not_ours[_i].begin.p, not_ours[_i].begin.n);
	write_file(dir.db, (struct str){ content, not_ours[_i].size });
	check_result(not_ours[_i].begin.p, STORAGE_FAILED, not_ours[_i].message);
	read_file(dir.db, &after);
	ck_assert(str_eq(strbuf_str(&after), (struct str){ content, not_ours[_i].size }));
}
END_TEST

/* The file as it was, or damaged, or refused with a reason; never some of it. */
static void check_all_or_nothing(const char *what, size_t at, const char *whole, unsigned *damaged)
{
	struct err err = { 0 };
	char *text;
	enum storage_load_result r = open_and_load(&err, &text);

	if (r == STORAGE_LOADED)
		ck_assert_msg(strcmp(text, whole) == 0, "%s at %zu: other content", what, at);
	else
		ck_assert_msg(err.msg[0], "%s at %zu: no reason", what, at);
	*damaged += r == STORAGE_DAMAGED;
	free(text);
}

static char *content_of(struct strbuf *file)
{
	struct err err = { 0 };
	char *whole;

	fill(60);
	read_file(dir.db, file);
	ck_assert_int_eq(open_and_load(&err, &whole), STORAGE_LOADED);
	return whole;
}

START_TEST(truncated)
{
	CLEANUP(strbuf_done) struct strbuf file = { 0 };
	CLEANUP(freep) char *whole = content_of(&file);
	unsigned damaged = 0, tried = 0;

	for (size_t n = 2; n < file.n; n += n < 200 ? 33 : 2047) {
		write_file(dir.db, (struct str){ file.p, n });
		if (n < 16)
			check_result("truncated", STORAGE_FAILED, "neither a database");
		else
			check_all_or_nothing("truncated", n, whole, &damaged);
		tried += n >= 16;
	}
	ck_assert_msg(damaged == tried, "%u of %u", damaged, tried);
}
END_TEST

/* A page says that it has a cell fewer: nothing is missing for who reads the tree. */
START_TEST(lost_cell)
{
	enum { PAGE = 4096, CELLS = 4 };
	CLEANUP(strbuf_done) struct strbuf file = { 0 };
	CLEANUP(freep) char *whole = content_of(&file);
	unsigned damaged = 0, tried = 0;

	for (size_t at = PAGE; at + PAGE <= file.n; at += PAGE) {
		CLEANUP(freep) char *copy = mem_dup(file.p, file.n);
		bool leaf = copy[at] == 0x0D || copy[at] == 0x0A;

		if (!leaf || copy[at + CELLS] == 0)
			continue;
		copy[at + CELLS]--;
		write_file(dir.db, (struct str){ copy, file.n });
		check_all_or_nothing("lost cell", at, whole, &damaged);
		tried++;
	}
	ck_assert_msg(tried > 3 && damaged == tried, "%u of %u", damaged, tried);
}
END_TEST

/* Each page in turn is overwritten. */
static const int patterns[] = { 0x00, 0xFF, 0x0D, -1 };

START_TEST(lost_page)
{
	enum { PAGE = 4096 };
	CLEANUP(strbuf_done) struct strbuf file = { 0 };
	CLEANUP(freep) char *whole = content_of(&file);
	unsigned damaged = 0;
	uint64_t rng = 1;

	for (size_t at = 0; at + PAGE <= file.n; at += PAGE) {
		CLEANUP(freep) char *copy = mem_dup(file.p, file.n);

		for (size_t i = 0; i < PAGE; i++)
			copy[at + i] = (char)(patterns[_i] < 0 ? rng_below(&rng, 256)
							       : (uint32_t)patterns[_i]);
		write_file(dir.db, (struct str){ copy, file.n });
		struct err err = { 0 };
		char *text;

		/* The middle of a long body may be lost unseen: SQLite keeps no checksums. */
		damaged += open_and_load(&err, &text) != STORAGE_LOADED;
		free(text);
	}
	ck_assert_msg(damaged >= 5, "only %u pages of %zu were missed", damaged, file.n / PAGE);
	ck_assert_ptr_nonnull(whole);
}
END_TEST

/* Any byte of the header and of the first tree pages. */
START_TEST(flipped_byte)
{
	CLEANUP(strbuf_done) struct strbuf file = { 0 };
	CLEANUP(freep) char *whole = content_of(&file);
	uint64_t rng = (uint64_t)_i + 1;

	ck_assert_uint_gt(file.n, 0);
	for (int n = 0; n < 300; n++) {
		size_t at = _i == 0 && n < 100 ? (size_t)n : rng_next(&rng) % file.n;
		CLEANUP(freep) char *copy = mem_dup(file.p, file.n);
		struct err err = { 0 };
		char *text;

		copy[at] = (char)(copy[at] ^ (1 << rng_below(&rng, 8)));
		write_file(dir.db, (struct str){ copy, file.n });
		if (open_and_load(&err, &text) != STORAGE_LOADED)
			ck_assert_msg(err.msg[0], "byte %zu: no reason", at);
		free(text);
	}
	ck_assert_ptr_nonnull(whole);
}
END_TEST

static const char *const no_versions[] = { "PRAGMA user_version=-3", "PRAGMA user_version=0" };

START_TEST(version_that_cannot_be)
{
	fill(3);
	run_sql(no_versions[_i]);
	check_result(no_versions[_i], STORAGE_DAMAGED, "is damaged");
}
END_TEST

static int read_version(void)
{
	sqlite3 *db;
	int version = 0;

	ck_assert_int_eq(sqlite3_open(dir.db, &db), SQLITE_OK);
	ck_assert_int_eq(migrate_read_int(db, "PRAGMA user_version", &version), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	return version;
}

/* Neither a newer version, nor an older one that would be brought up to date. */
START_TEST(flipped_version)
{
	char pragma[64];

	fill(3);
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d",
		 (int)((unsigned)read_version() ^ (1U << _i)));
	run_sql(pragma);
	check_result(pragma, STORAGE_DAMAGED, "");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("damage");
	int failed;

	temp_dir_make(&top);
	tcase_set_timeout(tc, 100);
	tcase_add_checked_fixture(tc, make_dir, NULL);
	tcase_add_loop_test(tc, refused_row, 0, (int)ARRAY_LEN(refused));
	tcase_add_loop_test(tc, rows_that_contradict, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, garbage_row, 0, (int)ARRAY_LEN(garbage));
	tcase_add_loop_test(tc, not_ours_row, 0, (int)ARRAY_LEN(not_ours));
	tcase_add_test(tc, truncated);
	tcase_add_test(tc, lost_cell);
	tcase_add_loop_test(tc, lost_page, 0, (int)ARRAY_LEN(patterns));
	tcase_add_loop_test(tc, flipped_byte, 0, 3);
	tcase_add_loop_test(tc, version_that_cannot_be, 0, (int)ARRAY_LEN(no_versions));
	tcase_add_loop_test(tc, flipped_version, 0, 32);
	failed = run_cases("sqlite damage", tc);
	temp_dir_remove(&top);
	return failed;
}
