/* Putting a new database in place of another: who may do so, and who can read it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "journal/sqlite/replace.h"
#include "lib/run.h"
#include "unit/journal/sqlite_dir.h"

static const struct file_access as_it_was;
static char one[] = "a 1\n", seven[] = "a 7\n";

static int write_one(void *body, struct storage *st, struct err *err)
{
	struct store *s = new_store();

	(void)err;
	push_ok(st, s, PUSH_PUT, "/j", body);
	store_free(s);
	return 0;
}

static char *stored(void)
{
	struct storage *st = open_db();
	struct store *s = load(st);
	char *text = exposed(s);

	store_free(s);
	st->ops->close(st);
	return text;
}

static int replace(const struct hold *held, const char *body, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };

	return sqlite_storage_replace(dir.db, held, &as_it_was, write_one, (void *)body, &kept,
				      err);
}

static void name_with(char name[120], const char *suffix)
{
	snprintf(name, 120, "%s%s", dir.db, suffix);
}

/* In a process of its own, as locks are between processes. Returns its exit status. */
static int in_another(int (*fn)(const char *path), const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(fn(path));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

static int hold_it(const char *path)
{
	struct err err = { 0 };
	struct hold h;

	if (hold_begin(path, &h, &err) < 0)
		return strstr(err.msg, "is in use by another process") ? 1 : 2;
	hold_end(&h);
	return 0;
}

static int open_it(const char *path)
{
	struct storage *st;
	struct err err = { 0 };

	if (sqlite_storage_open(path, &st, &err) != SQLITE_OPENED)
		return strstr(err.msg, "is in use by another process") ? 1 : 2;
	st->ops->close(st);
	return 0;
}

START_TEST(what_is_open_is_not_held)
{
	struct storage *st = open_db();
	struct store *s = load(st);

	push_ok(st, s, PUSH_PUT, "/j", "a 1\n");
	ck_assert_int_eq(in_another(hold_it, dir.db), 1);
	store_free(s);
	st->ops->close(st);
	ck_assert_int_eq(in_another(hold_it, dir.db), 0);
}
END_TEST

START_TEST(what_is_held_is_not_opened)
{
	struct err err = { 0 };
	struct storage *st;
	struct hold h;

	st = open_db();
	write_one(one, st, &err);
	st->ops->close(st);
	ck_assert_int_eq(hold_begin(dir.db, &h, &err), 0);
	ck_assert_int_eq(in_another(open_it, dir.db), 1);
	ck_assert_int_eq(in_another(hold_it, dir.db), 1);
	hold_end(&h);
	ck_assert_int_eq(in_another(open_it, dir.db), 0);
}
END_TEST

/* Another process has made one since, whether or not there was one before. */
START_TEST(what_another_has_made_is_not_replaced)
{
	static const bool was_there[] = { true, false };
	CLEANUP(freep) char *text = NULL;
	char moved[120], complete[120];
	struct err err = { 0 };
	struct storage *st;
	struct hold h;

	if (was_there[_i]) {
		st = open_db();
		st->ops->close(st);
	}
	ck_assert_int_eq(hold_begin(dir.db, &h, &err), 0);
	ck_assert(was_there[_i] == (h.fd >= 0));
	name_with(moved, ".moved");
	if (was_there[_i])
		ck_assert_int_eq(rename(dir.db, moved), 0);
	st = open_db();
	write_one(seven, st, &err);
	st->ops->close(st);
	ck_assert_int_eq(replace(&h, "a 1\n", &err), -1);
	ck_assert_msg(strstr(err.msg, "another process has made"), "%s", err.msg);
	hold_end(&h);
	/* A later start would take it for newer than what it finds. */
	name_with(complete, ".rewritten");
	ck_assert_int_eq(access(complete, F_OK), -1);
	text = stored();
	ck_assert_ptr_nonnull(strstr(text, "a{instance=\"\",job=\"j\"} 7\n"));
}
END_TEST

static int begin_new(const char *path)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct err err = { 0 };

	replace_drop(path);
	if (replace_begin(path, &as_it_was, &name, &err) < 0)
		return strstr(err.msg, "is in use by another process") ? 1 : 2;
	return 0;
}

static int write_beside_another(void *arg, struct storage *st, struct err *err)
{
	write_one(arg, st, err);
	/* Neither is what is being written removed, nor is a gateway started meanwhile. */
	ck_assert_int_eq(in_another(begin_new, dir.db), 1);
	ck_assert_int_eq(in_another(open_it, dir.db), 1);
	return 0;
}

START_TEST(one_at_a_time_writes_a_new_one)
{
	const struct hold nothing = { .fd = -1 };
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	CLEANUP(freep) char *text = NULL;
	struct err err = { 0 };

	ck_assert_msg(sqlite_storage_replace(dir.db, &nothing, &as_it_was, write_beside_another,
					     one, &kept, &err) == 0,
		      "%s", err.msg);
	ck_assert_uint_eq(kept.n, 0);
	text = stored();
	ck_assert_ptr_nonnull(strstr(text, "a{instance=\"\",job=\"j\"} 1\n"));
}
END_TEST

/* Of the database only the WAL is left. */
START_TEST(a_wal_says_who_can_read)
{
	const struct hold nothing = { .fd = -1 };
	struct err err = { 0 };
	char wal[120];
	int fd;

	name_with(wal, "-wal");
	fd = open(wal, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	ck_assert_int_eq(fchmod(fd, 0640), 0);
	close(fd);
	ck_assert_msg(replace(&nothing, "a 1\n", &err) == 0, "%s", err.msg);
	ck_assert_int_eq(file_access_at(dir.db).mode, 0640);
}
END_TEST

/* Of a file whose name is gone, its descriptor says who could read it last. */
START_TEST(permissions_of_a_removed_file)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	struct storage *st = open_db();
	struct err err = { 0 };

	write_one(one, st, &err);
	ck_assert_int_eq(chmod(dir.db, 0640), 0);
	ck_assert_int_eq(unlink(dir.db), 0);
	ck_assert_msg(st->ops->renew(st, write_one, one, &kept, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(file_access_at(dir.db).mode, 0640);
	st->ops->close(st);
}
END_TEST

/* The database goes where the link leads, and the link stays. */
START_TEST(through_a_link_to_nothing)
{
	const struct hold nothing = { .fd = -1 };
	struct err err = { 0 };
	char sub[120], target[200];
	struct stat st;

	snprintf(sub, sizeof(sub), "%s/sub", dir.path);
	snprintf(target, sizeof(target), "%s/real.db", sub);
	ck_assert_int_eq(mkdir(sub, 0700), 0);
	ck_assert_int_eq(symlink("sub/real.db", dir.db), 0);
	ck_assert_msg(replace(&nothing, "a 1\n", &err) == 0, "%s", err.msg);
	ck_assert_int_eq(lstat(dir.db, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(access(target, F_OK), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("replace");
	int failed;

	temp_dir_make(&top);
	tcase_add_checked_fixture(tc, make_dir, NULL);
	tcase_add_test(tc, what_is_open_is_not_held);
	tcase_add_test(tc, what_is_held_is_not_opened);
	tcase_add_loop_test(tc, what_another_has_made_is_not_replaced, 0, 2);
	tcase_add_test(tc, one_at_a_time_writes_a_new_one);
	tcase_add_test(tc, a_wal_says_who_can_read);
	tcase_add_test(tc, permissions_of_a_removed_file);
	tcase_add_test(tc, through_a_link_to_nothing);
	failed = run_cases("replace", tc);
	temp_dir_remove(&top);
	return failed;
}
