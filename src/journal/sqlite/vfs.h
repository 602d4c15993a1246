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

/* The name to open databases with; registers it the first time. NULL: out of memory. One thread. */
const char *vfs_name(void);

/* Of a database opened with it: -1 when it, or its WAL, was removed, replaced or cut short. */
int vfs_check_files(sqlite3 *db, struct err *err);
/* The database may become so long, and the WAL: -1: there is no room for it (reserve.h). */
int vfs_keep_space(sqlite3 *db, sqlite3_int64 database_bytes, sqlite3_int64 wal_bytes);
/* Where the WAL ends, and how much room it has. 0: not known, nothing has been written to it. */
sqlite3_int64 vfs_wal_end(sqlite3 *db);
sqlite3_int64 vfs_wal_room(sqlite3 *db);
/* Cuts off what a failed commit has left in the WAL, and syncs it. -1: that failed. */
int vfs_sync(sqlite3 *db);
/* The same, if something is left; otherwise it does nothing. */
int vfs_cut(sqlite3 *db);
/* Something may be left: a crash could make the commit that has failed last take effect. */
bool vfs_cut_is_due(sqlite3 *db);
/*
 * Whether a sync has failed since it was opened, or a cut: the kernel's memory may differ from the
 * disk.
 */
bool vfs_is_doubted(sqlite3 *db);
/* Whether the disk has not given what was to be read since then: nothing can be said of that. */
bool vfs_read_failed(sqlite3 *db);

#endif
