/*
 * The file layer between SQLite and its own: writes that follow each other in a file become one
 * system call. SQLite writes a page of the WAL in two calls, of a checkpoint in one, and there are
 * many of both in a commit. A write is held back no longer than until the next sync or read, or
 * until the file is closed.
 *
 * It also makes a commit happen completely or not at all: if a write to the WAL or its sync fails,
 * the WAL is cut back to where it was synced last, before SQLite is told. A sync fails if the WAL
 * or the database is no longer the file under its name. It notes how far the WAL has been synced
 * (synced.h).
 */
#ifndef JOURNAL_SQLITE_VFS_H
#define JOURNAL_SQLITE_VFS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/new_file.h"

/* The name to open databases with; registers it the first time. NULL: out of memory. One thread. */
const char *vfs_name(void);

/* -1: the database, opened with this layer, or its WAL was removed, replaced or cut short. */
int vfs_check_files(sqlite3 *db, struct err *err);
/* Who may read the database; *ret stays as it is if that cannot be told. */
void vfs_access(sqlite3 *db, struct file_access *ret);
/* Reserves room for a database and a WAL of these sizes (reserve.h). -1: there is none. */
int vfs_keep_space(sqlite3 *db, sqlite3_int64 database_bytes, sqlite3_int64 wal_bytes);
/* Where the WAL ends, and how much room it has, in bytes; 0: nothing has been written to it yet. */
sqlite3_int64 vfs_wal_end(sqlite3 *db);
sqlite3_int64 vfs_wal_room(sqlite3 *db);
/* Cuts off what a failed commit has left in the WAL, and syncs it. -1: that failed. */
int vfs_sync(sqlite3 *db);
/* The same, but does nothing if nothing is left. */
int vfs_cut(sqlite3 *db);
/* Whether something may be left: a crash could then make the last failed commit take effect. */
bool vfs_cut_is_due(sqlite3 *db);
/*
 * Whether a sync or a cut has failed since the database was opened: the kernel's memory may differ
 * from the disk.
 */
bool vfs_is_doubted(sqlite3 *db);
/* Whether a read has failed since then, so that nothing is known about the bytes there. */
bool vfs_read_failed(sqlite3 *db);

#endif
