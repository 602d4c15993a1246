/*
 * Rows of the log as SQLite has them (private to journal/sqlite). They do not say who has written
 * them, in which transaction and when, as those in PostgreSQL do: one process writes a file, SQLite
 * keeps transactions whole, and nobody would read it. With small pushes it would be a seventh of
 * the file. Nor do they hold digests (store_digest()): there is no other gateway to compare with.
 */
#ifndef JOURNAL_SQLITE_ROW_H
#define JOURNAL_SQLITE_ROW_H

#include <sqlite3.h>

#include "store/rows.h"

/* For statements that insert a row, and for those that read it. */
#define ROW_INSERT                                                             \
	"INSERT INTO log (number, kind, group_id, moved, at, checksum, body) " \
	"VALUES (?, ?, ?, ?, ?, ?, ?)"
/* Cleaning reads heads of all rows, most of which only go. The last one says how long the body is.
 */
#define ROW_HEADS "SELECT number, kind, group_id, moved, length(body) FROM log "
#define ROW_SELECT "SELECT number, kind, group_id, moved, at, checksum, body FROM log "

/* Runs such a statement. An SQLite result code. The body is borrowed for the call. */
int row_insert(sqlite3_stmt *insert, const struct row *row);
/* Of the row that the statement is at. The body is good until its next step. */
void row_get(sqlite3_stmt *select, struct row *ret);
/* The same of heads: without the body, of which only the size is known, time and checksum. */
void row_get_head(sqlite3_stmt *heads, struct row *ret);

/* Steps a statement that returns no row and makes it ready for the next use. */
int statement_run(sqlite3_stmt *stmt);

#endif
