#include "journal/sqlite/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/migrate.h"

/* The copy leaves at least this much of the disk to the pushes that come meanwhile. */
enum { LEFT_BYTES = 16 * 1024 * 1024 };

int backup_step_pages = 64;

struct backup {
	sqlite3 *from, *to;
	sqlite3_backup *copying;
	int fd; /* of the copy; -1: given to the caller */
};

/*
 * The name of the copy: beside the database, not beside a link to it, since the process may not
 * write elsewhere.
 */
static void name_of(sqlite3 *db, struct strbuf *out)
{
	strbuf_addf(out, "%s.copying", sqlite3_db_filename(db, "main"));
}

void backup_remove_left(sqlite3 *db)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	name_of(db, &name);
	unlink(strbuf_z(&name));
}

static int no_room(sqlite3_int64 bytes, struct err *err)
{
	return err_set(err, ERR_STORAGE, 0,
		       "the disk has no room for a copy of the database, of %lld bytes and %d more "
		       "for pushes: free some on that disk",
		       (long long)bytes, LEFT_BYTES);
}

/* On a file system that cannot reserve room, a lack of room shows while writing. */
static int take_room(int fd, sqlite3_int64 bytes, struct err *err)
{
	struct statvfs disk;

	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes) < 0 && errno == ENOSPC)
		return no_room(bytes, err);
	if (fstatvfs(fd, &disk) == 0 &&
	    (uint64_t)disk.f_bavail * disk.f_frsize < (uint64_t)LEFT_BYTES)
		return no_room(bytes, err);
	return 0;
}

static int database_bytes(sqlite3 *db, sqlite3_int64 *ret)
{
	int pages = 0, size = 0;
	int r = migrate_read_int(db, "PRAGMA page_count", &pages);

	if (r == SQLITE_OK)
		r = migrate_read_int(db, "PRAGMA page_size", &size);
	*ret = (sqlite3_int64)pages * size;
	return r;
}

/*
 * Only this connection uses the copy, which needs no rollback and is of no use before it is
 * complete: no locks, no journal, no sync.
 */
static int open_copy(struct backup *b, const char *name)
{
	int r = sqlite3_open_v2(name, &b->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				"unix-none");

	return r == SQLITE_OK ? sqlite3_exec(b->to,
					     "PRAGMA journal_mode=OFF;"
					     "PRAGMA synchronous=OFF;"
					     "PRAGMA cache_size=-256;",
					     NULL, NULL, NULL)
			      : r;
}

static int make_file(struct backup *b, const char *name, struct err *err)
{
	sqlite3_int64 bytes;
	int r = database_bytes(b->from, &bytes);

	unlink(name);
	b->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (b->fd < 0)
		return err_set(err, ERR_STORAGE, 0, "cannot make %s: %s", name,
			       strerrordesc_np(errno));
	if (r == SQLITE_OK && take_room(b->fd, bytes, err) < 0)
		r = SQLITE_FULL;
	else if (r == SQLITE_OK && (r = open_copy(b, name)) != SQLITE_OK)
		err_set(err, ERR_STORAGE, 0, "cannot open %s: %s", name, sqlite3_errstr(r));
	unlink(name);
	return r == SQLITE_OK ? 0 : -1;
}

struct backup *backup_begin(sqlite3 *from, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct backup *b = mem_alloc(sizeof(*b));

	*b = (struct backup){ .from = from, .fd = -1 };
	name_of(from, &name);
	if (make_file(b, strbuf_z(&name), err) == 0) {
		b->copying = sqlite3_backup_init(b->to, "main", from, "main");
		if (b->copying)
			return b;
		err_set(err, ERR_STORAGE, 0, "the database cannot be copied: %s",
			sqlite3_errmsg(b->to));
	}
	backup_free(b);
	return NULL;
}

static enum storage_backup_result fail(int code, struct err *err)
{
	err_set(err, ERR_STORAGE, 0, "the database could not be copied: %s", sqlite3_errstr(code));
	return STORAGE_BACKUP_FAILED;
}

/* Marks the copy as a database that its gateway has closed. */
static enum storage_backup_result complete(struct backup *b, struct storage_backup *ret,
					   struct err *err)
{
	int r = sqlite3_backup_finish(TAKE(b->copying));
	struct stat sb;

	if (r == SQLITE_OK)
		r = sqlite3_close(TAKE(b->to));
	if (r != SQLITE_OK)
		return fail(r, err);
	if (db_file_say_closed(b->fd) < 0 || fstat(b->fd, &sb) < 0)
		return fail(SQLITE_IOERR, err);
	*ret = (struct storage_backup){ b->fd, (uint64_t)sb.st_size };
	b->fd = -1;
	return STORAGE_BACKUP_COMPLETE;
}

enum storage_backup_result backup_step(struct backup *b, struct storage_backup *ret,
				       struct err *err)
{
	int r = sqlite3_backup_step(b->copying, backup_step_pages);

	if (r == SQLITE_DONE)
		return complete(b, ret, err);
	return r == SQLITE_OK ? STORAGE_BACKUP_GOES_ON : fail(r, err);
}

void backup_free(struct backup *b)
{
	if (!b)
		return;
	if (b->copying)
		sqlite3_backup_finish(b->copying);
	sqlite3_close(b->to);
	if (b->fd >= 0)
		close(b->fd);
	free(b);
}
