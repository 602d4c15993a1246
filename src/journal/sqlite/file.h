/*
 * The database as a file among others: whether what has its name is ours to use, and how it gets
 * out of the way. Names and first bytes only, no SQL. Never while this process has the database
 * open: closing any descriptor of a file ends all locks that the process has on it (POSIX).
 */
#ifndef JOURNAL_SQLITE_FILE_H
#define JOURNAL_SQLITE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/*
 * At byte 68 of a database: tells ours from anybody else's (SQLite's application_id). The second
 * one, from before the first commit of a process until the database is closed: what was committed
 * since is in the WAL.
 */
#define DB_ID_CLOSED 0x54414C59 /* "TALY" */
#define DB_ID_OPEN 0x54414C4F   /* "TALO" */

/* Of an application_id as SQLite gives it. One bit may be wrong. */
enum db_id { DB_ID_OURS, DB_ID_OURS_DAMAGED, DB_ID_OTHERS };
enum db_id db_id(int application_id);

/* As pread(), but what it gets is less than n bytes only at the end of the file. */
ssize_t db_file_read(int fd, void *to, size_t n, off_t at);

/* Of an open file. */
bool db_file_says_open(int fd);
/* Of one that no connection has. -1: it cannot be written. */
int db_file_say_closed(int fd);

/*
 * -1: what has that name, or that of a file that belongs to it, is no file: opening a FIFO would
 * wait for ever. Symbolic links are followed; a name that nothing has will do.
 */
int db_file_check_type(const char *path, struct err *err);

enum db_file_kind {
	DB_FILE_NEW,    /* there is none, or an empty one */
	DB_FILE_OURS,   /* ours, in whatever state: begins as a database, or carries our id */
	DB_FILE_OTHERS, /* a database that does not carry our id */
	DB_FILE_NONE,   /* no database at all */
};

/* By its first bytes, of which one bit of our id or of SQLite's magic may be wrong; or by its rows,
 * if these bytes are no database's. */
enum db_file_kind db_file_kind(const char *path);

/*
 * Moves a damaged database and what belongs to it to PATH.damaged-YYYYMMDDTHHMMSSZ, or to the first
 * of ...-2, ...-3 that is free. The new name goes to aside (size bytes). -1: *err says why it could
 * not be moved.
 */
int db_file_set_aside(const char *path, char *aside, size_t size, struct err *err);

/* The directory that it is in, or a symbolic link leads to. All 0: there is none. */
struct db_directory {
	dev_t device;
	ino_t inode;
};
struct db_directory db_file_directory(const char *path);

/* Names survive a power cut once their directory is synced. */
int db_file_sync_directory(const char *path, struct err *err);

/*
 * What the process before has written to its WAL, and was killed before it could sync it: on the
 * disk from now on. Before the database is opened. -1: *err.
 */
int db_file_sync_wal(const char *path, struct err *err);

/* What the kernel has in memory of it is read from the disk again, as far as that is up to us. */
void db_file_forget_cached(const char *path);

/*
 * A new database in place of the one that has the name: begin() gives the name to make it under,
 * and sees to it that nothing has it; end() says that it is complete, and put_in_place() moves what
 * is there aside (db_file_set_aside(); *ret_kept: its name, empty if there was nothing) and gives
 * the new one the name. Killed in between, the next start goes on: 1 when there was something to
 * put.
 */
int db_file_begin_new(const char *path, struct strbuf *ret_new, struct err *err);
int db_file_end_new(const char *path, struct err *err);
int db_file_put_in_place(const char *path, struct strbuf *ret_kept, struct err *err);

#endif
