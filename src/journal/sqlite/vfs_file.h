/*
 * An open file of the layer in vfs.c: private to vfs.c, vfs_names.c and wal_state.c. Used by the
 * thread that uses the connection.
 */
#ifndef JOURNAL_SQLITE_VFS_FILE_H
#define JOURNAL_SQLITE_VFS_FILE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "journal/sqlite/read_ahead.h"
#include "journal/sqlite/reserve.h"

struct db_file {
	sqlite3_file base; /* first */
	char *pending;     /* bytes that are held back; allocated by the first write */
	sqlite3_int64 at;  /* their offset in the file */
	int n;
	int owed;         /* an error that SQLite has not been told of yet */
	const char *name; /* SQLite's, as long as the file is open */
	dev_t device;
	ino_t inode;
	sqlite3_int64 size;    /* the least size that the file must have */
	struct wal_state *log; /* of a WAL */
	struct reserve reserve;
	struct read_ahead ahead;
	bool is_database;
	bool doubted; /* of a database: a sync of it or its WAL, or a cut of its WAL, has failed */
	bool read_failed; /* of a database: a read of it or its WAL has failed */
};

/* The file of SQLite's own layer, which follows in memory. */
static inline sqlite3_file *vfs_real(sqlite3_file *f)
{
	return (sqlite3_file *)((struct db_file *)f + 1);
}

/*
 * In vfs_names.c. False: the file under this name is another one, or shorter than what was written;
 * *err says which. The second one is for a file that SQLite has just opened: whether the name has
 * been given to another file since.
 */
bool vfs_is_there(const struct db_file *file, struct err *err);
bool vfs_has_moved(sqlite3_file *f);

#endif
