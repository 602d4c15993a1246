/* Files that take the place of others: who can read them, and whose names they take. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/new_file.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

static struct temp_dir dir;
static char other[100];
static int refused; /* what renameat2() answers; 0: what it does */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
int __real_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);
int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);

int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	errno = refused;
	return refused ? -1 : __real_renameat2(from_at, from, to_at, to, flags);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void write_file(const char *name, const char *content)
{
	FILE *f = fopen(name, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(content, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void check_content(const char *name, const char *content)
{
	char got[20] = "";
	FILE *f = fopen(name, "re");

	ck_assert_ptr_nonnull(f);
	ck_assert(fread(got, 1, sizeof(got) - 1, f) < sizeof(got));
	fclose(f);
	ck_assert_str_eq(got, content);
}

/* ---- access ---- */

/* What the new file may have, if the owner cannot give it to the group of the old one. */
static const struct {
	mode_t old, same, without;
} modes[] = {
	{ 0600, 0600, 0600 }, { 0640, 0640, 0600 }, { 0644, 0644, 0644 },
	{ 0664, 0664, 0644 }, { 0604, 0604, 0600 }, { 0660, 0660, 0600 },
	{ 0666, 0666, 0666 }, { 0400, 0600, 0600 }, { 0440, 0640, 0600 },
};

static void check_mode(const char *name, mode_t want)
{
	struct file_access got = file_access_at(name);

	ck_assert(got.known);
	ck_assert_msg(got.mode == want, "%o instead of %o", got.mode, want);
}

START_TEST(same_permissions)
{
	struct file_access like;

	write_file(dir.db, "");
	ck_assert_int_eq(chmod(dir.db, modes[_i].old), 0);
	like = file_access_at(dir.db);
	umask(0022);
	int fd = new_file_make(other, &like);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	check_mode(other, modes[_i].same);
	ck_assert_int_eq(new_file_make(other, &like), -1);
	ck_assert_int_eq(errno, EEXIST);
}
END_TEST

/* Members of our group are not members of the old one. */
START_TEST(another_group)
{
	struct file_access like = {
		.known = true, .mode = modes[_i].old, .owner = geteuid(), .group = getegid() + 1000
	};
	int status;
	pid_t child;

	ck_assert_int_eq(chmod(dir.path, 0777), 0);
	child = fork();
	if (child == 0) {
		/* Root could give it to any group. */
		if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setuid(65534) < 0))
			_exit(1);
		close(new_file_make(other, &like));
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	check_mode(other, modes[_i].without);
}
END_TEST

START_TEST(nobody_elses)
{
	close(new_file_make(other, &FILE_ACCESS_OWNER));
	check_mode(other, 0600);
	ck_assert(!file_access_at(dir.db).known);
}
END_TEST

/* ---- names ---- */

static const int answers[] = { 0, EINVAL, ENOSYS, EOPNOTSUPP };

START_TEST(a_name_is_never_taken_from_another)
{
	refused = answers[_i];
	write_file(dir.db, "mine");
	ck_assert_int_eq(new_file_rename(dir.db, other), 0);
	check_content(other, "mine");
	ck_assert_int_eq(access(dir.db, F_OK), -1);
	write_file(dir.db, "new");
	ck_assert_int_eq(new_file_rename(dir.db, other), -1);
	ck_assert_int_eq(errno, EEXIST);
	check_content(dir.db, "new");
	check_content(other, "mine");
}
END_TEST

START_TEST(what_is_not_there_takes_no_name)
{
	refused = answers[_i];
	ck_assert_int_eq(new_file_rename(dir.db, other), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(access(other, F_OK), -1);
}
END_TEST

/* Any other error is one. */
START_TEST(a_disk_that_fails)
{
	refused = EIO;
	write_file(dir.db, "mine");
	ck_assert_int_eq(new_file_rename(dir.db, other), -1);
	ck_assert_int_eq(errno, EIO);
	check_content(dir.db, "mine");
	ck_assert_int_eq(access(other, F_OK), -1);
}
END_TEST

static void make_dir(void)
{
	temp_dir_make(&dir);
	snprintf(other, sizeof(other), "%s/other", dir.path);
}

static void remove_dir(void)
{
	temp_dir_remove(&dir);
}

int main(void)
{
	TCase *tc = tcase_create("new_file");

	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_loop_test(tc, same_permissions, 0, (int)ARRAY_LEN(modes));
	tcase_add_loop_test(tc, another_group, 0, (int)ARRAY_LEN(modes));
	tcase_add_test(tc, nobody_elses);
	tcase_add_loop_test(tc, a_name_is_never_taken_from_another, 0, (int)ARRAY_LEN(answers));
	tcase_add_loop_test(tc, what_is_not_there_takes_no_name, 0, (int)ARRAY_LEN(answers));
	tcase_add_test(tc, a_disk_that_fails);
	return run_cases("new_file", tc);
}
