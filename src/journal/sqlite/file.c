#include "journal/sqlite/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "journal/sqlite/synced.h"

/* Suffixes of the files of a database; the database itself comes last. */
static const char *const suffixes[] = { "-wal", "-shm", "-journal", SYNCED_SUFFIX, "" };

static const char *suffixed(struct strbuf *b, const char *path, const char *suffix)
{
	b->n = 0;
	strbuf_addz(b, path);
	strbuf_addz(b, suffix);
	return strbuf_z(b);
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

int db_file_check_type(const char *path, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (stat(suffixed(&name, path, suffixes[i]), &st) == 0 && !S_ISREG(st.st_mode))
			return err_set(err, ERR_SYSTEM, 0,
				       "%s is %s, and a database is a file: choose another "
				       "--persistence.file",
				       name.p, type_name(st.st_mode));
	return 0;
}

/* ---- setting aside ---- */

static bool any_exists(const char *path)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (lstat(suffixed(&name, path, suffixes[i]), &st) == 0)
			return true;
	return false;
}

/* Gives all files a second name, or none; errno says why not. */
static int link_all(const char *path, const char *aside)
{
	CLEANUP(strbuf_done) struct strbuf from = { 0 };
	CLEANUP(strbuf_done) struct strbuf to = { 0 };
	int why = 0;
	size_t i;

	if (any_exists(aside)) {
		errno = EEXIST;
		return -1;
	}
	for (i = 0; why == 0 && i < ARRAY_LEN(suffixes); i++)
		if (link(suffixed(&from, path, suffixes[i]), suffixed(&to, aside, suffixes[i])) <
			    0 &&
		    errno != ENOENT)
			why = errno;
	if (why == 0)
		return 0;
	/* These names are all new, and the one that failed was not made. */
	while (--i > 0)
		unlink(suffixed(&to, aside, suffixes[i - 1]));
	errno = why;
	return -1;
}

static int unlink_all(const char *path, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (unlink(suffixed(&name, path, suffixes[i])) < 0 && errno != ENOENT)
			return err_set(err, ERR_SYSTEM, 0, "cannot remove %s: %s", name.p,
				       strerrordesc_np(errno));
	return 0;
}

static int link_to_free_name(const char *path, char *aside, size_t size, struct err *err)
{
	enum { NAMES_MAX = 10000 };
	time_t now = clock_wall_ns() / 1000000000;
	char stamp[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned i = 1; i < NAMES_MAX; i++) {
		int n = i == 1 ? snprintf(aside, size, "%s.damaged-%s", path, stamp)
			       : snprintf(aside, size, "%s.damaged-%s-%u", path, stamp, i);

		if (n < 0 || (size_t)n >= size)
			errno = ENAMETOOLONG;
		else if (link_all(path, aside) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return err_set(err, ERR_SYSTEM, 0, "cannot set %s aside as %s: %s", path, aside,
		       strerrordesc_np(errno));
}

int db_file_set_aside(const char *path, char *aside, size_t size, struct err *err)
{
	/* SQLite follows symbolic links, and keeps its files beside their targets. */
	CLEANUP(freep) char *real = realpath(path, NULL);

	/* The database itself may be missing, with only a WAL left. */
	const char *name = real ? real : path;

	if (link_to_free_name(name, aside, size, err) < 0)
		return -1;
	return unlink_all(name, err);
}

/* ---- a new one ---- */

int db_file_sync_wal(const char *path, struct err *err)
{
	CLEANUP(freep) char *real = realpath(path, NULL);
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	int fd = open(suffixed(&name, real ? real : path, "-wal"),
		      O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = fd < 0 ? -1 : fsync(fd);

	if (r < 0)
		err_set(err, ERR_SYSTEM, 0, "cannot sync %s: %s", name.p, strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

void db_file_forget_cached(const char *path)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		int fd = open(suffixed(&name, path, suffixes[i]),
			      O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0)
			continue;
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
}

/* The target of a symbolic link, which need not exist: the new database gets that name. */
static char *real_path(const char *path)
{
	char *real = realpath(path, NULL);
	char target[PATH_MAX];
	ssize_t n;

	if (real)
		return real;
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0 || target[0] != '/')
		return mem_strdup(path);
	target[n] = '\0';
	return mem_strdup(target);
}

struct db_directory db_file_directory(const char *path)
{
	CLEANUP(freep) char *dir = real_path(path);
	char *slash = strrchr(dir, '/');
	struct stat st;

	if (slash)
		slash[1] = '\0';
	if (stat(slash ? dir : ".", &st) < 0)
		return (struct db_directory){ 0 };
	return (struct db_directory){ st.st_dev, st.st_ino };
}

static const char making[] = ".rewriting", complete[] = ".rewritten";

mode_t db_file_mode(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO) : 0;
}

/* SQLite takes an empty file for a new database, and gives its WAL the same mode. */
static int make_empty(const char *name, mode_t mode, struct err *err)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r = fd < 0 ? -1 : fchmod(fd, mode);

	if (r < 0)
		err_set(err, ERR_SYSTEM, 0, "cannot make %s: %s", name, strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

int db_file_begin_new(const char *path, mode_t mode, struct strbuf *ret_new, struct err *err)
{
	CLEANUP(freep) char *real = real_path(path);
	const char *name = suffixed(ret_new, real, making);

	if (unlink_all(name, err) < 0)
		return -1;
	if (mode == 0)
		mode = db_file_mode(real);
	return mode ? make_empty(name, mode | S_IRUSR | S_IWUSR, err) : 0;
}

void db_file_drop_new(const char *path)
{
	CLEANUP(freep) char *real = real_path(path);
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct err ignored;

	unlink_all(suffixed(&name, real, making), &ignored);
}

int db_file_sync_directory(const char *path, struct err *err)
{
	CLEANUP(freep) char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');
	int fd, r;

	if (slash)
		slash[1] = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -1 : fsync(fd);
	if (r < 0)
		err_set(err, ERR_SYSTEM, 0, "cannot sync the directory of %s: %s", path,
			strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

static int rename_to(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot rename %s to %s: %s", from, to,
			       strerrordesc_np(errno));
	return db_file_sync_directory(to, err);
}

int db_file_end_new(const char *path, struct err *err)
{
	CLEANUP(freep) char *real = real_path(path);
	CLEANUP(strbuf_done) struct strbuf from = { 0 };
	CLEANUP(strbuf_done) struct strbuf to = { 0 };
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };

	suffixed(&from, real, making);
	suffixed(&to, real, complete);
	/* A WAL is left if the new database could not be closed: then it is not complete. */
	if (access(suffixed(&wal, from.p, "-wal"), F_OK) == 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot write all of %s", from.p);
	return rename_to(from.p, to.p, err);
}

int db_file_put_in_place(const char *path, struct strbuf *ret_kept, struct err *err)
{
	CLEANUP(freep) char *real = real_path(path);
	CLEANUP(strbuf_done) struct strbuf new = { 0 };
	char aside[PATH_MAX];

	ret_kept->n = 0;
	if (access(suffixed(&new, real, complete), F_OK) < 0)
		return 0;
	if (any_exists(real)) {
		if (db_file_set_aside(real, aside, sizeof(aside), err) < 0)
			return -1;
		strbuf_addz(ret_kept, aside);
	}
	return rename_to(new.p, real, err) < 0 ? -1 : 1;
}
