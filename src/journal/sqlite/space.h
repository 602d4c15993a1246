/*
 * Room on the disk for what is committed. A commit is made only if all that will be in the WAL has
 * its place in the database, with SPACE_KEPT more: so a checkpoint never fails for want of space,
 * and afterwards the WAL, of SPACE_KEPT at least, can be written anew from its start. That is how
 * what frees space can be committed on a disk that others have filled. The WAL keeps as much as the
 * largest row takes that this process has written: it passes through the WAL once more when it is
 * trimmed, since SQLite overwrites what is deleted.
 */
#ifndef JOURNAL_SQLITE_SPACE_H
#define JOURNAL_SQLITE_SPACE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "store/rows.h"

enum { SPACE_KEPT = 1024 * 1024 };

/*
 * While the disk has room, so much more is kept than has to be: until commits may have used that
 * up, SQLite is not asked how large the database is, which costs a seventh of a small push.
 */
enum { SPACE_AHEAD = 4 * 1024 * 1024 };

struct space {
	sqlite3_stmt *pages, *free_pages;
	sqlite3_int64 database;  /* bytes that the database keeps */
	sqlite3_int64 ahead;     /* how many of them do not have to be */
	int wal_limit;           /* the journal_size_limit that holds otherwise */
	sqlite3_int64 least_wal; /* what the WAL keeps */
};

/* An SQLite result code. */
int space_init(struct space *s, sqlite3 *db);
void space_done(struct space *s);

/*
 * Outside of a transaction. SQLITE_FULL: the disk has no room for the rows. Those that free more
 * than they take (rows_free()) are always let through.
 */
int space_make(struct space *s, sqlite3 *db, const struct rows *rows);

/* Of a WAL that was longer once, so much is left. An SQLite result code. */
int space_limit_wal(struct space *s, sqlite3 *db, int bytes);

/* A commit that changes nothing. An SQLite result code; in a transaction if it failed. */
int space_commit_nothing(sqlite3 *db);

/* After SQLITE_FULL, and outside of a transaction: false: a second try is of no use. */
bool space_regain(sqlite3 *db, const struct rows *rows);

#endif
