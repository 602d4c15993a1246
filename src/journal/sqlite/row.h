/*
 * Rows of the log in SQLite (private to journal/sqlite). Unlike rows in PostgreSQL they have no
 * columns for writer, transaction and time of writing: one process writes a file, SQLite keeps
 * transactions whole, and nothing would read these columns, which with small pushes would be a
 * seventh of the file. Nor are there digests (store_digest()), since there is no other gateway to
 * compare with.
 */
#ifndef JOURNAL_SQLITE_ROW_H
#define JOURNAL_SQLITE_ROW_H

#include <sqlite3.h>

#include "store/rows.h"

/* For statements that insert a row, and for those that read it. */
#define ROW_INSERT                                                             \
	"INSERT INTO log (number, kind, group_id, moved, at, checksum, body) " \
	"VALUES (?, ?, ?, ?, ?, ?, ?)"
/*
 * Heads of rows, for cleaning, which deletes most rows without reading their bodies. The last
 * column is the length of the body.
 */
#define ROW_HEADS "SELECT number, kind, group_id, moved, length(body) FROM log "
#define ROW_SELECT "SELECT number, kind, group_id, moved, at, checksum, body FROM log "

/* Runs such a statement. An SQLite result code. The body is borrowed for the call. */
int row_insert(sqlite3_stmt *insert, const struct row *row);
/* Reads the row that the statement is at. The body is good until its next step. */
void row_get(sqlite3_stmt *select, struct row *ret);
/* The same for ROW_HEADS: of the body only the size is set, and time and checksum are missing. */
void row_get_head(sqlite3_stmt *heads, struct row *ret);

/* Steps a statement that returns no row and makes it ready for the next use. */
int statement_run(sqlite3_stmt *stmt);

#endif
