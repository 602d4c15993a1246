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
#include "base/new_file.h"
#include "journal/sqlite/synced.h"

const char *const db_file_suffixes[DB_FILES] = { "-wal", "-shm", "-journal", SYNCED_SUFFIX, "" };

const char *db_file_suffixed(struct strbuf *b, const char *path, const char *suffix)
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
	CLEANUP(freep) char *real = db_file_real(path);
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct stat st;

	for (size_t i = 0; i < DB_FILES; i++) {
		const char *suffix = db_file_suffixes[i];

		db_file_suffixed(&name, *suffix ? real : path, suffix);
		if (stat(name.p, &st) == 0 && !S_ISREG(st.st_mode))
			return err_set(err, ERR_SYSTEM, 0,
				       "%s is %s, and a database is a file: choose another "
				       "--persistence.file",
				       name.p, type_name(st.st_mode));
	}
	return 0;
}

/* ---- setting aside ---- */

bool db_file_any_exists(const char *path)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct stat st;

	for (size_t i = 0; i < DB_FILES; i++)
		if (lstat(db_file_suffixed(&name, path, db_file_suffixes[i]), &st) == 0)
			return true;
	return false;
}

/* How files get new names, and how that is taken back: errno says why not. */
struct naming {
	int (*give)(const char *name, const char *aside);
	int (*take_back)(const char *name, const char *aside);
};

static int unlink_aside(const char *name, const char *aside)
{
	(void)name;
	return unlink(aside);
}

static int rename_back(const char *name, const char *aside)
{
	return new_file_rename(aside, name);
}

static const struct naming by_links = { link, unlink_aside };
/* For file systems without links. */
static const struct naming by_renaming = { new_file_rename, rename_back };

/* Gives all files their new names, or none; errno says why not. */
static int give_all(const struct naming *by, const char *path, const char *aside)
{
	CLEANUP(strbuf_done) struct strbuf from = { 0 };
	CLEANUP(strbuf_done) struct strbuf to = { 0 };
	int why = 0;
	size_t i;

	for (i = 0; why == 0 && i < DB_FILES; i++)
		if (by->give(db_file_suffixed(&from, path, db_file_suffixes[i]),
			     db_file_suffixed(&to, aside, db_file_suffixes[i])) < 0 &&
		    errno != ENOENT)
			why = errno;
	if (why == 0)
		return 0;
	/* These names are all new, and the one that failed was not given. */
	while (--i > 0)
		(void)by->take_back(db_file_suffixed(&from, path, db_file_suffixes[i - 1]),
				    db_file_suffixed(&to, aside, db_file_suffixes[i - 1]));
	errno = why;
	return -1;
}

static int name_all(const char *path, const char *aside)
{
	if (db_file_any_exists(aside)) {
		errno = EEXIST;
		return -1;
	}
	if (give_all(&by_links, path, aside) == 0)
		return 0;
	return errno == EEXIST ? -1 : give_all(&by_renaming, path, aside);
}

int db_file_unlink_all(const char *path, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	for (size_t i = 0; i < DB_FILES; i++)
		if (unlink(db_file_suffixed(&name, path, db_file_suffixes[i])) < 0 &&
		    errno != ENOENT)
			return err_set(err, ERR_SYSTEM, 0, "cannot remove %s: %s", name.p,
				       strerrordesc_np(errno));
	return 0;
}

static int give_free_name(const char *path, char *aside, size_t size, struct err *err)
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
		else if (name_all(path, aside) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return err_set(err, ERR_SYSTEM, 0, "cannot set %s aside as %s: %s", path, aside,
		       strerrordesc_np(errno));
}

int db_file_set_aside(const char *path, char *aside, size_t size, struct err *err)
{
	/* The database itself may be missing, with only a WAL left. */
	CLEANUP(freep) char *real = db_file_real(path);

	if (give_free_name(real, aside, size, err) < 0 || db_file_sync_directory(aside, err) < 0)
		return -1;
	return db_file_unlink_all(real, err);
}

/* ---- syncing ---- */

int db_file_sync_wal(const char *path, struct err *err)
{
	CLEANUP(freep) char *real = db_file_real(path);
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	int fd = open(db_file_suffixed(&name, real, "-wal"), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = fd < 0 ? -1 : fsync(fd);

	if (r < 0)
		err_set(err, ERR_SYSTEM, 0, "cannot sync %s: %s", name.p, strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

void db_file_forget_cached(const char *path)
{
	CLEANUP(freep) char *real = db_file_real(path);
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	for (size_t i = 0; i < DB_FILES; i++) {
		int fd = open(db_file_suffixed(&name, real, db_file_suffixes[i]),
			      O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0)
			continue;
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
}

/* Where a link leads, taken from its directory if it is relative. NULL: path is no link. */
static char *target_of(const char *path)
{
	CLEANUP(strbuf_done) struct strbuf to = { 0 };
	const char *slash = strrchr(path, '/');
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n <= 0 || n == sizeof(target))
		return NULL;
	if (target[0] != '/' && slash)
		strbuf_add(&to, path, (size_t)(slash - path) + 1);
	strbuf_add(&to, target, (size_t)n);
	return mem_strdup(strbuf_z(&to));
}

char *db_file_real(const char *path)
{
	enum { LINKS_MAX = 40 }; /* as for the kernel */
	char *real = realpath(path, NULL), *target;

	if (real)
		return real;
	real = mem_strdup(path);
	for (int i = 0; i < LINKS_MAX && (target = target_of(real)); i++) {
		free(real);
		real = target;
	}
	return real;
}

struct db_directory db_file_directory(const char *path)
{
	CLEANUP(freep) char *dir = db_file_real(path);
	char *slash = strrchr(dir, '/');
	struct stat st;

	if (slash)
		slash[1] = '\0';
	if (stat(slash ? dir : ".", &st) < 0)
		return (struct db_directory){ 0 };
	return (struct db_directory){ st.st_dev, st.st_ino };
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
	/* Some file systems have nothing to sync there. */
	if (r < 0 && fd >= 0 && errno == EINVAL)
		r = 0;
	if (r < 0)
		err_set(err, ERR_SYSTEM, 0, "cannot sync the directory of %s: %s", path,
			strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	return r;
}
