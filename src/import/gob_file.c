#include "import/gob_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/new_file.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/sqlite.h"

/* An import from a Go file while it runs. */
struct migration {
	char *path;        /* the Go file's real path */
	struct strbuf new; /* the path at which the database is written */
	int fd;            /* the Go file, opened and locked */
	struct stat st;
	struct err *err;
};

static void migration_done(struct migration *m)
{
	if (m->fd >= 0)
		close(m->fd);
	strbuf_done(&m->new);
	free(m->path);
}

/* -1 with "cannot VERB PATH: why". */
static int failed(struct migration *m, const char *verb, const char *path)
{
	return err_set(m->err, ERR_SYSTEM, 0, "cannot %s %s: %s", verb, path,
		       strerrordesc_np(errno));
}

static const char *suffixed(struct strbuf *b, const char *path, const char *suffix)
{
	b->n = 0;
	strbuf_addz(b, path);
	strbuf_addz(b, suffix);
	return strbuf_z(b);
}

/* ---- the Go file ---- */

/* False also for a file that cannot be read: opening it as a database will say why. */
static bool open_if_gob(struct migration *m, const char *path)
{
	char head[GOB_HEAD];
	ssize_t n;

	m->path = realpath(path, NULL);
	if (!m->path)
		return false;
	m->fd = open(m->path, O_RDONLY | O_CLOEXEC);
	if (m->fd < 0 || fstat(m->fd, &m->st) < 0 || !S_ISREG(m->st.st_mode))
		return false;
	n = db_file_read(m->fd, head, sizeof(head), 0);
	return n > 0 && gob_recognise((struct str){ head, (size_t)n });
}

/* -1: the file was replaced or written to while it was read. */
static int check_unchanged(struct migration *m)
{
	struct stat now;

	if (stat(m->path, &now) == 0 && now.st_dev == m->st.st_dev && now.st_ino == m->st.st_ino &&
	    now.st_size == m->st.st_size && now.st_mtim.tv_sec == m->st.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == m->st.st_mtim.tv_nsec)
		return 0;
	return err_set(m->err, ERR_SYSTEM, 0,
		       "%s has changed while it was imported: stop the Go Pushgateway, or whatever "
		       "writes to it, first",
		       m->path);
}

/* Two gateways that start at the same time must not both import. */
static int lock(struct migration *m)
{
	if (flock(m->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return err_set(
			m->err, ERR_SYSTEM, 0,
			"%s is being imported by another process: stop it, or choose another "
			"--persistence.file",
			m->path);
	return check_unchanged(m);
}

/* -1: errno. */
static int read_bytes(int fd, struct strbuf *out)
{
	enum { CHUNK = 1024 * 1024 };
	ssize_t n;

	do {
		n = pread(fd, strbuf_reserve(out, CHUNK), CHUNK, (off_t)out->n);
		if (n < 0)
			return -1;
		out->n += (size_t)n;
	} while (n > 0);
	return 0;
}

static int read_groups(struct migration *m, struct import *im)
{
	CLEANUP(strbuf_done) struct strbuf file = { 0 };

	if (read_bytes(m->fd, &file) < 0)
		return failed(m, "read", m->path);
	if (gob_read(strbuf_str(&file), import_group, im, m->err) < 0) {
		CLEANUP(strbuf_done) struct strbuf where = { 0 };

		strbuf_addf(&where, "cannot import %s, which the Go Pushgateway wrote: ", m->path);
		err_prefix(m->err, strbuf_z(&where));
		return -1;
	}
	return 0;
}

/* ---- the database ---- */

static const char *const companions[] = { "-wal", "-journal" };

/* SQLite would take files with these names for parts of the new database. */
static int check_companions(struct migration *m)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(companions); i++)
		if (access(suffixed(&name, m->path, companions[i]), F_OK) == 0)
			return err_set(m->err, ERR_SYSTEM, 0,
				       "%s belongs to another database than %s, which the Go "
				       "Pushgateway wrote: move it away",
				       name.p, m->path);
	return 0;
}

/* The copy of the Go file, until it has its name. */
static const char copying[] = ".keeping";

static int remove_new(struct migration *m)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	const char *path = strbuf_z(&m->new);

	if (unlink(path) < 0 && errno != ENOENT)
		return failed(m, "remove", path);
	for (size_t i = 0; i < ARRAY_LEN(companions); i++)
		if (unlink(suffixed(&name, path, companions[i])) < 0 && errno != ENOENT)
			return failed(m, "remove", name.p);
	if (unlink(suffixed(&name, m->path, copying)) < 0 && errno != ENOENT)
		return failed(m, "remove", name.p);
	return 0;
}

static int settle(struct migration *m)
{
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };
	const char *path = strbuf_z(&m->new);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return failed(m, "open", path);
	if (fsync(fd) < 0)
		r = failed(m, "write", path);
	close(fd);
	if (r == 0 && access(suffixed(&wal, path, companions[0]), F_OK) == 0)
		r = err_set(m->err, ERR_SYSTEM, 0, "cannot write %s: %s is left", path, wal.p);
	return r;
}

/*
 * From the start: whoever cannot read the Go file must not be able to read the database, nor its
 * WAL, which SQLite gives the same permissions.
 */
static int make_like_go_file(struct migration *m, const char *name)
{
	const struct file_access like = file_access_of(&m->st);
	int fd = new_file_make(name, &like);

	return fd < 0 ? failed(m, "make", name) : fd;
}

static int make_new(struct migration *m)
{
	int fd = remove_new(m) < 0 ? -1 : make_like_go_file(m, strbuf_z(&m->new));

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int write_database(struct migration *m, struct import *im)
{
	struct storage *storage;
	int r;

	if (make_new(m) < 0 ||
	    sqlite_storage_open(strbuf_z(&m->new), &storage, m->err) != SQLITE_OPENED)
		return -1;
	r = import_commit(im, storage, m->err);
	/* Closing moves what is in the WAL into the database, which is then one file. */
	storage->ops->close(storage);
	return r < 0 ? -1 : settle(m);
}

/* ---- one in place of the other ---- */

static bool same_content(const struct migration *m, int fd)
{
	CLEANUP(strbuf_done) struct strbuf ours = { 0 };
	CLEANUP(strbuf_done) struct strbuf theirs = { 0 };

	return read_bytes(m->fd, &ours) == 0 && read_bytes(fd, &theirs) == 0 &&
	       str_eq(strbuf_str(&ours), strbuf_str(&theirs));
}

/* Whether an interrupted import has kept the Go file under that name. */
static bool is_kept(const struct migration *m, const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	bool same;

	if (fd < 0)
		return false;
	same = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == m->st.st_size &&
	       ((st.st_dev == m->st.st_dev && st.st_ino == m->st.st_ino) || same_content(m, fd));
	close(fd);
	return same;
}

static int copy_bytes_to(struct migration *m, int fd)
{
	CLEANUP(strbuf_done) struct strbuf file = { 0 };

	if (read_bytes(m->fd, &file) < 0)
		return -1;
	for (size_t at = 0; at < file.n;) {
		ssize_t n = pwrite(fd, file.p + at, file.n - at, (off_t)at);

		if (n <= 0)
			return -1;
		at += (size_t)n;
	}
	return fsync(fd);
}

/* Where the file system has no links: a copy, complete before it gets its name. */
static int keep_copy(struct migration *m, const char *kept)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	int fd, r, why;

	fd = make_like_go_file(m, suffixed(&name, m->path, copying));
	if (fd < 0)
		return -1;
	r = copy_bytes_to(m, fd);
	close(fd);
	if (r == 0 && new_file_rename(name.p, kept) == 0)
		return 0;
	why = errno;
	unlink(name.p);
	errno = why;
	return -1;
}

/* Gives the Go file a second name. -1: errno, EEXIST if it is taken. */
static int keep_as(struct migration *m, const char *kept)
{
	if (link(m->path, kept) == 0)
		return 0;
	return errno == EEXIST ? -1 : keep_copy(m, kept);
}

/* A name that an interrupted import has made is used again. */
static int keep(struct migration *m, struct strbuf *ret_kept)
{
	char stamp[32], suffix[80];
	struct tm tm;

	gmtime_r(&m->st.st_mtim.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(suffix, sizeof(suffix), ".pushgateway-%s", stamp);
	for (unsigned i = 2; keep_as(m, suffixed(ret_kept, m->path, suffix)) < 0; i++) {
		if (errno != EEXIST)
			return failed(m, "keep the Go Pushgateway's file as", ret_kept->p);
		if (is_kept(m, ret_kept->p))
			return 0;
		snprintf(suffix, sizeof(suffix), ".pushgateway-%s-%u", stamp, i);
	}
	return 0;
}

static int replace(struct migration *m, struct strbuf *ret_kept)
{
	if (keep(m, ret_kept) < 0 || db_file_sync_directory(m->path, m->err) < 0 ||
	    check_unchanged(m) < 0)
		return -1;
	if (rename(strbuf_z(&m->new), m->path) < 0)
		return failed(m, "replace", m->path);
	return db_file_sync_directory(m->path, m->err);
}

/* *err already says why, so failures of this are ignored. */
static void give_up(struct migration *m)
{
	struct err *why = m->err;
	struct err ignored;

	m->err = &ignored;
	remove_new(m);
	m->err = why;
}

static int migrate_file(struct migration *m, struct import *im, struct strbuf *ret_kept)
{
	suffixed(&m->new, m->path, ".importing");
	if (lock(m) < 0 || check_companions(m) < 0 || read_groups(m, im) < 0)
		return -1;
	if (write_database(m, im) < 0 || replace(m, ret_kept) < 0) {
		give_up(m);
		return -1;
	}
	return 0;
}

enum import_gob_result import_gob(const char *path, struct store *scratch,
				  const struct import_listener *listener,
				  struct import_gob_report *ret_report, struct err *err)
{
	CLEANUP(migration_done) struct migration m = { .fd = -1, .err = err };
	CLEANUP(import_freep) struct import *im = NULL;

	if (!open_if_gob(&m, path))
		return IMPORT_GOB_NONE;
	im = import_new(scratch, listener);
	if (migrate_file(&m, im, &ret_report->kept) < 0)
		return IMPORT_GOB_FAILED;
	ret_report->counts = import_counts(im);
	return IMPORT_GOB_DONE;
}
