/*
 * The one connection to a database. It is opened with the settings that durability needs, after a
 * look at the files that the last process has left; closing marks the database as closed, for the
 * next process.
 */
#ifndef JOURNAL_SQLITE_CONNECTION_H
#define JOURNAL_SQLITE_CONNECTION_H

#include <sqlite3.h>

#include "journal/sqlite/sqlite.h"

struct connection {
	sqlite3 *db;
	bool marked;   /* this process has marked the database as open, and synced that */
	bool was_open; /* the database or its WAL was already marked as open */
	bool had_wal;
	bool damaged; /* set by the caller: closing then leaves all files as they are */
	struct sqlite_found found;
};

/* Opens it; to be closed only if the result is SQLITE_OPENED. */
enum sqlite_open_result connection_open(const char *path, struct connection *ret, struct err *err);

/*
 * Before each commit: marks the database as open, unless it is. If that fails, on a full disk for
 * instance, the next commit tries again.
 */
void connection_mark(struct connection *c);

/* Makes a checkpoint. True: everything in the WAL is now in the database, and synced. */
bool connection_move_all(sqlite3 *db);

/*
 * Both close it; all statements have to be finalized before. connection_leave() leaves all files as
 * they are, the WAL, too.
 */
void connection_close(struct connection *c);
void connection_leave(struct connection *c);

/* The result of opening for an error code of SQLite; sets *err. */
enum sqlite_open_result connection_refuse(const char *path, sqlite3 *db, int code, struct err *err);
bool connection_is_damage(int code);

#endif
