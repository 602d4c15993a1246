/*
 * The file layer between SQLite and its own: writes that follow each other in a file become one
 * system call. SQLite writes a page of the WAL in two calls, of a checkpoint in one, and there are
 * many of both in a commit. Nothing is held back beyond a sync, a read, or the file's end of use.
 *
 * It also sees to it that a commit has happened or has not: when a write to the WAL or its sync
 * fails, the WAL is cut back to where it was synced last, before SQLite hears of it; and no sync of
 * a WAL succeeds whose file, or whose database, is not what its name leads to any more. Beside the
 * database it notes how far the WAL is synced (synced.h).
 */
#ifndef JOURNAL_SQLITE_VFS_H
#define JOURNAL_SQLITE_VFS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"

/* The name to open databases with; registers it the first time. NULL: out of memory. One thread. */
const char *vfs_name(void);

/* Of a database opened with it: -1 when it, or its WAL, was removed, replaced or cut short. */
int vfs_check_files(sqlite3 *db, struct err *err);
/* The database may become so long, and the WAL: -1: there is no room for it (reserve.h). */
int vfs_keep_space(sqlite3 *db, sqlite3_int64 database_bytes, sqlite3_int64 wal_bytes);
/* Where the WAL ends, and how much room it has. 0: not known, nothing has been written to it. */
sqlite3_int64 vfs_wal_end(sqlite3 *db);
sqlite3_int64 vfs_wal_room(sqlite3 *db);
/* Syncs the WAL, without what a failed commit has left in it. -1: the disk does not. */
int vfs_sync(sqlite3 *db);
/* Since it was opened: what the kernel has in memory need not be what is on the disk. */
bool vfs_sync_failed(sqlite3 *db);

#endif
