/*
 * The one connection to a database: opened with all that our promises need of SQLite, after what
 * the last process has left was looked at; and closed so that the next one can tell that it was.
 */
#ifndef JOURNAL_SQLITE_CONNECTION_H
#define JOURNAL_SQLITE_CONNECTION_H

#include <sqlite3.h>

#include "journal/sqlite/sqlite.h"

struct connection {
	sqlite3 *db;
	bool marked;   /* the database says that it is open: this process has made it, and synced it
			*/
	bool was_open; /* it, or its WAL, says so */
	bool had_wal;
	bool damaged; /* set by whoever finds out: closing leaves all files as they are */
	struct sqlite_found found;
};

/* Nothing to close unless it is SQLITE_OPENED. */
enum sqlite_open_result connection_open(const char *path, struct connection *ret, struct err *err);

/*
 * Before each commit: makes the database say that it is open, unless it does. Where that cannot be,
 * on a full disk for instance, the next commit tries again.
 */
void connection_mark(struct connection *c);

/* A checkpoint. True: all that is in the WAL is in the database afterwards, and on the disk. */
bool connection_move_all(sqlite3 *db);

/* All statements have to be finalized. leave: the files stay as they are, the WAL, too. */
void connection_close(struct connection *c);
void connection_leave(struct connection *c);

/* What became of opening when SQLite has answered with code; sets *err. */
enum sqlite_open_result connection_refuse(const char *path, sqlite3 *db, int code, struct err *err);
bool connection_is_damage(int code);

#endif
