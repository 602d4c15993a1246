/*
 * The database as a file: whether the file with its name is ours, and how it is moved out of the
 * way. Names and first bytes only, no SQL. Never while this process has the database open: closing
 * any descriptor of a file ends all locks that the process has on it (POSIX).
 */
#ifndef JOURNAL_SQLITE_FILE_H
#define JOURNAL_SQLITE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/*
 * SQLite's application_id, at byte 68 of a database, which tells ours from those of other programs.
 * DB_ID_OPEN is there from before the first commit of a process until the database is closed:
 * commits since then may be only in the WAL.
 */
#define DB_ID_CLOSED 0x54414C59 /* "TALY" */
#define DB_ID_OPEN 0x54414C4F   /* "TALO" */

/* What an application_id means; in DB_ID_OURS_DAMAGED one bit is wrong. */
enum db_id { DB_ID_OURS, DB_ID_OURS_DAMAGED, DB_ID_OTHERS };
enum db_id db_id(int application_id);

/* Like pread(), but reads less than n bytes only at the end of the file. */
ssize_t db_file_read(int fd, void *to, size_t n, off_t at);

/* Whether the open file is marked as open by its id. -1: errno, the disk does not read it. */
int db_file_says_open(int fd);
/* Marks a file as closed; no connection may have it open. -1: it cannot be written. */
int db_file_say_closed(int fd);

/* What the files of a database have behind its name; the database itself comes last. */
enum { DB_FILES = 5 };
extern const char *const db_file_suffixes[DB_FILES];
/* Sets *b to path with the suffix. */
const char *db_file_suffixed(struct strbuf *b, const char *path, const char *suffix);
/* Whether one of the files is there. */
bool db_file_any_exists(const char *path);
/* Files that are not there are fine. -1: *err. */
int db_file_unlink_all(const char *path, struct err *err);
/*
 * The target of a symbolic link, which need not exist: SQLite keeps its files beside it, and a new
 * database gets that name. Free it.
 */
char *db_file_real(const char *path);

/*
 * -1: path, or the name of one of the files beside it, is not a regular file: opening a FIFO would
 * wait for ever. Symbolic links are followed; files that do not exist are fine.
 */
int db_file_check_type(const char *path, struct err *err);

enum db_file_kind {
	DB_FILE_NEW,    /* there is no file, or an empty one */
	DB_FILE_OURS,   /* ours, in any state: it begins like a database, or has our id */
	DB_FILE_OTHERS, /* a database without our id */
	DB_FILE_NONE,   /* no database at all */
};

/*
 * Decides by the first bytes, with at most one wrong bit in our id or in SQLite's magic; or by the
 * rows, if these bytes are not those of a database.
 */
enum db_file_kind db_file_kind(const char *path);

/* The schema that the first page names (SQLite's user_version); 0: its header is damaged, or not
 * ours. */
int db_file_schema(const char *path);

/*
 * Moves a damaged database and the files beside it to PATH.damaged-YYYYMMDDTHHMMSSZ, or to the
 * first of ...-2, ...-3 that is free. All files get their second names before any loses its first,
 * so that a crash leaves all of it under one name. A file system that has no links (exFAT, some of
 * SMB and FUSE) has the files renamed one by one instead, without replacing any: a crash in between
 * leaves some with the first name, which the next start sets aside, too, under another name. The
 * new name goes to aside (size bytes). -1: *err says why it could not be moved.
 *
 * The caller holds it (hold.h).
 */
int db_file_set_aside(const char *path, char *aside, size_t size, struct err *err);

/* The directory of the database, or of the target of a symbolic link. All 0: there is none. */
struct db_directory {
	dev_t device;
	ino_t inode;
};
struct db_directory db_file_directory(const char *path);

/*
 * Names survive a power cut once their directory is synced. A file system that cannot do that is no
 * error.
 */
int db_file_sync_directory(const char *path, struct err *err);

/*
 * Syncs the WAL, which the last process may have written without syncing it before it was killed.
 * Call before the database is opened. -1: *err.
 */
int db_file_sync_wal(const char *path, struct err *err);

/*
 * Asks the kernel to drop its cached pages of the files, so that they are read from the disk again.
 */
void db_file_forget_cached(const char *path);

#endif
