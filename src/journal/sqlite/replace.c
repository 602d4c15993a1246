#include "journal/sqlite/replace.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "journal/sqlite/file.h"

static const char making[] = ".rewriting", complete[] = ".rewritten";

int replace_check_unused(const char *path, struct err *err)
{
	CLEANUP(freep) char *real = db_file_real(path);
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct hold h;

	/* SQLite's lock on it; that it may be renamed meanwhile is no reason to refuse. */
	if (hold_begin(db_file_suffixed(&name, real, making), &h, err) < 0)
		return hold_refuse(path, err);
	hold_end(&h);
	return 0;
}

/* The database may be missing, with only a WAL left, which has the same permissions. */
static struct file_access access_of_old(const char *real)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct file_access found = { 0 };

	for (size_t i = DB_FILES; i > 0 && !found.known; i--)
		found = file_access_at(db_file_suffixed(&name, real, db_file_suffixes[i - 1]));
	return found;
}

/* SQLite takes an empty file for a new database, and gives its WAL the same permissions. */
static int make_empty(const char *name, const struct file_access *like, struct err *err)
{
	int fd = new_file_make(name, like);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot make %s: %s", name,
			       strerrordesc_np(errno));
	close(fd);
	return 0;
}

int replace_begin(const char *path, const struct file_access *like, struct strbuf *ret_new,
		  struct err *err)
{
	CLEANUP(freep) char *real = db_file_real(path);
	const char *name = db_file_suffixed(ret_new, real, making);
	struct file_access old = like->known ? *like : access_of_old(real);

	if (replace_check_unused(path, err) < 0 || db_file_unlink_all(name, err) < 0)
		return -1;
	return old.known ? make_empty(name, &old, err) : 0;
}

static void remove_all(const char *path, const char *suffix)
{
	CLEANUP(freep) char *real = db_file_real(path);
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct err ignored;

	db_file_unlink_all(db_file_suffixed(&name, real, suffix), &ignored);
}

void replace_drop(const char *path)
{
	struct err ignored;

	if (replace_check_unused(path, &ignored) == 0)
		remove_all(path, making);
}

int replace_complete(const char *path, struct err *err)
{
	CLEANUP(freep) char *real = db_file_real(path);
	CLEANUP(strbuf_done) struct strbuf from = { 0 };
	CLEANUP(strbuf_done) struct strbuf to = { 0 };
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };

	db_file_suffixed(&from, real, making);
	db_file_suffixed(&to, real, complete);
	/* A WAL is left if the new database could not be closed: then it is not complete. */
	if (access(db_file_suffixed(&wal, from.p, "-wal"), F_OK) == 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot write all of %s", from.p);
	/* One that is there is older: it could not be put in place. */
	if (rename(from.p, to.p) < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot rename %s to %s: %s", from.p, to.p,
			       strerrordesc_np(errno));
	return db_file_sync_directory(to.p, err);
}

int replace_put_in_place(const char *path, const struct hold *held, struct strbuf *ret_kept,
			 struct err *err)
{
	CLEANUP(freep) char *real = db_file_real(path);
	CLEANUP(strbuf_done) struct strbuf new = { 0 };
	char aside[PATH_MAX];

	ret_kept->n = 0;
	if (access(db_file_suffixed(&new, real, complete), F_OK) < 0)
		return 0;
	if (hold_check(held, real, err) < 0) {
		remove_all(path, complete);
		return -1;
	}
	if (db_file_any_exists(real)) {
		if (db_file_set_aside(real, aside, sizeof(aside), err) < 0)
			return -1;
		strbuf_addz(ret_kept, aside);
	}
	/* Another process may have made one since, and may have written to it. */
	if (new_file_rename(new.p, real) < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot rename %s to %s: %s", new.p, real,
			       strerrordesc_np(errno));
	return db_file_sync_directory(real, err) < 0 ? -1 : 1;
}
