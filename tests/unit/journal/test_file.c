/* What has the database's name, and moving it out of the way. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "journal/sqlite/file.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

static struct temp_dir dir;

/* What a file system says that cannot do these; 0: it can. */
static int no_links, no_noreplace;
/* The rename that fails, counted from 1; 0: none. */
static int failing_rename;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __real_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);
int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);

int __wrap_link(const char *from, const char *to)
{
	errno = no_links;
	return no_links ? -1 : __real_link(from, to);
}

int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	errno = no_noreplace;
	if (failing_rename && --failing_rename == 0)
		errno = EACCES;
	return errno ? -1 : __real_renameat2(from_at, from, to_at, to, flags);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

static void write_file(const char *path, struct str content)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(content.p, 1, content.n, f), content.n);
	ck_assert_int_eq(fclose(f), 0);
}

static void check_content(const char *path, const char *content)
{
	char got[200] = "";
	FILE *f = fopen(path, "re");

	ck_assert_msg(f != NULL, "%s is missing", path);
	ck_assert(fread(got, 1, sizeof(got) - 1, f) < sizeof(got));
	fclose(f);
	ck_assert_str_eq(got, content);
}

/* ---- kinds ---- */

/* A file of `size` bytes, zeros but for its beginning and what stands at byte 68. */
static const struct {
	const char *name, *magic, *id;
	size_t size;
	enum db_file_kind kind;
} kinds[] = {
	{ "empty", "", "", 0, DB_FILE_NEW },
	{ "ours", "SQLite format 3", "TALY", 100000, DB_FILE_OURS },
	{ "a bit of the id", "SQLite format 3", "TALX", 100000, DB_FILE_OURS },
	{ "two bits of the id", "SQLite format 3", "TAMX", 100000, DB_FILE_OTHERS },
	{ "a bit of the magic", "SPLite format 3", "TALY", 100000, DB_FILE_OURS },
	{ "the id alone", "", "TALY", 72, DB_FILE_OURS },
	{ "made and not migrated", "SQLite format 3", "", 65536, DB_FILE_OURS },
	{ "no id, and more than a page", "SQLite format 3", "", 65537, DB_FILE_OTHERS },
	{ "cut off before the id", "SQLite format 3", "", 22, DB_FILE_OURS },
	{ "the magic alone", "SQLite format 3", "", 16, DB_FILE_OURS },
	{ "cut off in the magic", "SQLite format 3", "", 15, DB_FILE_NONE },
	{ "another program's", "SQLite format 3", "ABCD", 4096, DB_FILE_OTHERS },
	{ "zeros", "", "", 4096, DB_FILE_NONE },
	{ "text", "groups:\n", "- x\n", 4096, DB_FILE_NONE },
};

START_TEST(kinds_row)
{
	CLEANUP(freep) char *content = mem_zalloc(100000);

	memcpy(content, kinds[_i].magic, strlen(kinds[_i].magic));
	memcpy(content + 68, kinds[_i].id, strlen(kinds[_i].id));
	write_file(dir.db, (struct str){ content, kinds[_i].size });
	ck_assert_msg(db_file_kind(dir.db) == kinds[_i].kind, "%s: %d", kinds[_i].name,
		      (int)db_file_kind(dir.db));
}
END_TEST

START_TEST(no_file_is_new)
{
	struct err err = { 0 };

	ck_assert_int_eq(db_file_kind(dir.db), DB_FILE_NEW);
	ck_assert_int_eq(db_file_check_type(dir.db, &err), 0);
}
END_TEST

/* ---- types ---- */

static void make_socket(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	close(fd);
}

static void make_fifo(const char *path)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void make_directory(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void make_link_to_device(const char *path)
{
	ck_assert_int_eq(symlink("/dev/null", path), 0);
}

static const struct {
	void (*make)(const char *path);
	const char *name;
} types[] = {
	{ make_socket, "a socket" },
	{ make_fifo, "a FIFO" },
	{ make_directory, "a directory" },
	{ make_link_to_device, "a device" },
};

START_TEST(no_regular_file)
{
	for (unsigned i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP(strbuf_done) struct strbuf path = { 0 };
		struct err err = { 0 };

		strbuf_addf(&path, "%s%s", dir.db, suffixes[i]);
		types[_i].make(strbuf_z(&path));
		ck_assert_int_eq(db_file_check_type(dir.db, &err), -1);
		ck_assert_msg(strstr(err.msg, types[_i].name) && strstr(err.msg, path.p), "%s",
			      err.msg);
		ck_assert_int_eq(remove(path.p), 0);
	}
}
END_TEST

/* ---- setting aside ---- */

static void make_all(const char *path, const char *content)
{
	for (unsigned i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP(strbuf_done) struct strbuf name = { 0 };

		strbuf_addf(&name, "%s%s", path, suffixes[i]);
		write_file(strbuf_z(&name), str_of(content));
	}
}

static void check_all(const char *path, const char *content)
{
	for (unsigned i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP(strbuf_done) struct strbuf name = { 0 };

		strbuf_addf(&name, "%s%s", path, suffixes[i]);
		if (content)
			check_content(strbuf_z(&name), content);
		else
			ck_assert_int_eq(access(strbuf_z(&name), F_OK), -1);
	}
}

/* What file systems with and without links answer. */
static const struct {
	int link, renameat2;
} abilities[] = {
	{ 0, 0 }, { EPERM, 0 }, { EOPNOTSUPP, EINVAL }, { ENOSYS, ENOSYS }, { EMLINK, 0 }
};

static void use_abilities(int i)
{
	no_links = abilities[i].link;
	no_noreplace = abilities[i].renameat2;
}

/* Several within one second: each has a name of its own, and nothing is overwritten. */
START_TEST(set_aside_again_and_again)
{
	enum { TIMES = 12 };
	char aside[TIMES][200], content[20];
	struct err err = { 0 };

	use_abilities(_i);
	for (int i = 0; i < TIMES; i++) {
		snprintf(content, sizeof(content), "content %d", i);
		make_all(dir.db, content);
		ck_assert_msg(db_file_set_aside(dir.db, aside[i], sizeof(aside[i]), &err) == 0,
			      "%s", err.msg);
		ck_assert(strncmp(aside[i], dir.db, strlen(dir.db)) == 0 &&
			  strncmp(aside[i] + strlen(dir.db), ".damaged-20", 11) == 0);
		check_all(dir.db, NULL);
	}
	for (int i = 0; i < TIMES; i++) {
		snprintf(content, sizeof(content), "content %d", i);
		check_all(aside[i], content);
	}
}
END_TEST

/* A WAL that an earlier one has left is not taken for the later one's. */
START_TEST(set_aside_beside_a_wal)
{
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };
	char first[200], second[200];
	struct err err = { 0 };

	use_abilities(_i);
	make_all(dir.db, "one");
	ck_assert_int_eq(db_file_set_aside(dir.db, first, sizeof(first), &err), 0);
	ck_assert_int_eq(unlink(first), 0);
	write_file(dir.db, STR("two"));
	ck_assert_int_eq(db_file_set_aside(dir.db, second, sizeof(second), &err), 0);
	ck_assert_str_ne(first, second);
	check_content(second, "two");
	strbuf_addf(&wal, "%s-wal", first);
	check_content(strbuf_z(&wal), "one");
	wal.n = 0;
	strbuf_addf(&wal, "%s-wal", second);
	ck_assert_int_eq(access(strbuf_z(&wal), F_OK), -1);
}
END_TEST

/* SQLite keeps the WAL beside what a symbolic link leads to. */
START_TEST(set_aside_through_a_link)
{
	CLEANUP(strbuf_done) struct strbuf real = { 0 };
	struct err err = { 0 };
	char aside[200];

	strbuf_addf(&real, "%s/real.db", dir.path);
	make_all(strbuf_z(&real), "one");
	ck_assert_int_eq(symlink(real.p, dir.db), 0);
	ck_assert_int_eq(db_file_set_aside(dir.db, aside, sizeof(aside), &err), 0);
	ck_assert(strncmp(aside, real.p, real.n) == 0);
	check_all(aside, "one");
	check_all(real.p, NULL);
	ck_assert_int_eq(access(dir.db, F_OK), -1);
	ck_assert_int_eq(unlink(dir.db), 0);
}
END_TEST

START_TEST(set_aside_with_too_long_a_name)
{
	struct err err = { 0 };
	char aside[30];

	make_all(dir.db, "one");
	ck_assert_int_eq(db_file_set_aside(dir.db, aside, sizeof(aside), &err), -1);
	ck_assert_msg(strstr(err.msg, "too long"), "%s", err.msg);
	check_all(dir.db, "one");
}
END_TEST

/* Some of the files have their new names already: they get the old ones back. */
START_TEST(set_aside_fails_half_way)
{
	struct err err = { 0 };
	char aside[200];

	no_links = EPERM;
	failing_rename = 3;
	make_all(dir.db, "one");
	ck_assert_int_eq(db_file_set_aside(dir.db, aside, sizeof(aside), &err), -1);
	ck_assert_msg(strstr(err.msg, "ermission"), "%s", err.msg);
	check_all(dir.db, "one");
	check_all(aside, NULL);
}
END_TEST

/* ---- links ---- */

/* SQLite makes a new database where a link leads, whether or not anything is there. */
START_TEST(links_lead_somewhere)
{
	static const struct {
		const char *link, *target, *real;
	} links[] = {
		{ "one", "two", "two" },
		{ "to-dir", "sub/three", "sub/three" },
		{ "sub/up", "../four", "sub/../four" },
		{ "twice", "sub/up", "sub/../four" },
	};
	char sub[100];

	snprintf(sub, sizeof(sub), "%s/sub", dir.path);
	ck_assert_int_eq(mkdir(sub, 0700), 0);
	for (unsigned i = 0; i < ARRAY_LEN(links); i++) {
		CLEANUP(strbuf_done) struct strbuf link = { 0 };
		CLEANUP(strbuf_done) struct strbuf real = { 0 };

		strbuf_addf(&link, "%s/%s", dir.path, links[i].link);
		strbuf_addf(&real, "%s/%s", dir.path, links[i].real);
		ck_assert_int_eq(symlink(links[i].target, strbuf_z(&link)), 0);
		CLEANUP(freep) char *got = db_file_real(link.p);

		ck_assert_str_eq(got, strbuf_z(&real));
	}
}
END_TEST

/* One that leads to itself is left to whoever opens it. */
START_TEST(a_link_to_itself)
{
	ck_assert_int_eq(symlink("t.db", dir.db), 0);
	CLEANUP(freep) char *got = db_file_real(dir.db);

	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(unlink(dir.db), 0);
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
	TCase *tc = tcase_create("file");

	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_loop_test(tc, kinds_row, 0, (int)ARRAY_LEN(kinds));
	tcase_add_test(tc, no_file_is_new);
	tcase_add_loop_test(tc, no_regular_file, 0, (int)ARRAY_LEN(types));
	tcase_add_loop_test(tc, set_aside_again_and_again, 0, (int)ARRAY_LEN(abilities));
	tcase_add_loop_test(tc, set_aside_beside_a_wal, 0, (int)ARRAY_LEN(abilities));
	tcase_add_test(tc, set_aside_fails_half_way);
	tcase_add_test(tc, links_lead_somewhere);
	tcase_add_test(tc, a_link_to_itself);
	tcase_add_test(tc, set_aside_through_a_link);
	tcase_add_test(tc, set_aside_with_too_long_a_name);
	return run_cases("file", tc);
}
