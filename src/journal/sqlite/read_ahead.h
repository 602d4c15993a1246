/*
 * Reads of a file that follow each other, upwards or downwards, become one system call for many
 * pages: a start reads all of the database, cleaning the oldest rows, a checkpoint most of the WAL.
 * Where a part that was read ahead turns out to be of little use, as with the frames of a WAL whose
 * pages were written in another order, reads are done directly for a while.
 * Only this process writes the file, and it reports each write here. If reading ahead fails, the
 * read is done directly, and its errors are reported. Private to vfs.c and wal_state.c.
 */
#ifndef JOURNAL_SQLITE_READ_AHEAD_H
#define JOURNAL_SQLITE_READ_AHEAD_H

#include <sqlite3.h>

enum { READ_AHEAD = 64 * 1024 };

struct read_ahead {
	char *bytes;        /* of the file, from `at` on; NULL: nothing was read ahead yet */
	sqlite3_int64 at;   /* a multiple of READ_AHEAD */
	int n;              /* READ_AHEAD, or 0: `bytes` is empty */
	sqlite3_int64 last; /* offset of the last read */
	int near;           /* reads in a row that were near the one before */
	int served;         /* reads that `bytes` has answered */
	int rest;           /* how many reads are done directly before the next try */
};

/* xRead of the file: a result code of SQLite. */
int read_ahead_read(struct read_ahead *r, sqlite3_file *from, void *to, int n, sqlite3_int64 at);
/* Call when these bytes of the file change, or may have changed; n < 0: all bytes from `at` on. */
void read_ahead_changed(struct read_ahead *r, int n, sqlite3_int64 at);
void read_ahead_done(struct read_ahead *r);

#endif
