/*
 * Reads of a file that follow each other, upwards or downwards, become one system call for many
 * pages: a start reads all of the database, cleaning the oldest rows, a checkpoint most of the WAL.
 * Where that turns out to be a few of many, as the frames of a WAL whose pages were written in
 * another order, they are read by themselves for a while.
 * Only this process writes the file, and says so here. What cannot be read ahead is read as if this
 * were not there, and its errors are those of that read. Private to vfs.c and wal_state.c.
 */
#ifndef JOURNAL_SQLITE_READ_AHEAD_H
#define JOURNAL_SQLITE_READ_AHEAD_H

#include <sqlite3.h>

enum { READ_AHEAD = 64 * 1024 };

struct read_ahead {
	char *bytes;        /* of the file, from `at` on; NULL: nothing was read ahead yet */
	sqlite3_int64 at;   /* a multiple of READ_AHEAD */
	int n;              /* READ_AHEAD, or 0: there are none */
	sqlite3_int64 last; /* where was read last */
	int near;           /* reads in a row that were near the one before */
	int served;         /* from `bytes` */
	int rest;           /* so many reads before the next try */
};

/* xRead of the file: a result code of SQLite. */
int read_ahead_read(struct read_ahead *r, sqlite3_file *from, void *to, int n, sqlite3_int64 at);
/* These bytes of the file change, or may have; n < 0: all that is behind. */
void read_ahead_changed(struct read_ahead *r, int n, sqlite3_int64 at);
void read_ahead_done(struct read_ahead *r);

#endif
