/*
 * Room on the disk for commits. A commit is made only if the database has room for all that will be
 * in the WAL, and SPACE_KEPT more: so a checkpoint never fails for lack of space, and after it the
 * WAL, which keeps at least SPACE_KEPT, can be written anew from its start. That is how rows that
 * free space can be committed on a disk that other files have filled. The WAL keeps as much room as
 * the largest row takes that this process has written: that row passes through the WAL once more
 * when it is trimmed, since SQLite overwrites deleted rows.
 */
#ifndef JOURNAL_SQLITE_SPACE_H
#define JOURNAL_SQLITE_SPACE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "store/rows.h"

enum { SPACE_KEPT = 1024 * 1024 };

/*
 * Reserved beyond that while the disk has room: until commits may have used it up, SQLite need not
 * be asked how large the database is, which costs a seventh of a small push.
 */
enum { SPACE_AHEAD = 4 * 1024 * 1024 };

struct space {
	sqlite3_stmt *pages, *free_pages;
	sqlite3_int64 database;  /* bytes reserved for the database */
	sqlite3_int64 ahead;     /* how many of them are beyond what is needed */
	int wal_limit;           /* the usual journal_size_limit */
	sqlite3_int64 least_wal; /* bytes that the WAL keeps */
};

/* An SQLite result code. */
int space_init(struct space *s, sqlite3 *db);
void space_done(struct space *s);

/*
 * Outside of a transaction, before rows are written. SQLITE_FULL: the disk has no room for them.
 * Rows that free more than they take (rows_free()) are always let through.
 */
int space_make(struct space *s, sqlite3 *db, const struct rows *rows);

/* Sets to how many bytes a longer WAL is cut. An SQLite result code. */
int space_limit_wal(struct space *s, sqlite3 *db, int bytes);

/*
 * Makes a commit that changes nothing. An SQLite result code; if it failed, a transaction is open.
 */
int space_commit_nothing(sqlite3 *db);

/*
 * After SQLITE_FULL, outside of a transaction: makes room for rows that free more than they take.
 * False: a second try is of no use.
 */
bool space_regain(sqlite3 *db, const struct rows *rows);

#endif
