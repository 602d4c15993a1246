/* An upgrade of the schema that SQL alone cannot do (private to journal/sqlite). */
#ifndef JOURNAL_SQLITE_UPGRADE_H
#define JOURNAL_SQLITE_UPGRADE_H

#include <sqlite3.h>

/* The schema that upgrade_to_rows() leads to. */
enum { UPGRADE_TO_ROWS = 3 };

/*
 * Groups and segments of schema 2 become rows of the log, and their tables are dropped. Inside a
 * transaction of the caller's. An SQLite result code; SQLITE_CORRUPT: groups and segments
 * contradict each other.
 */
int upgrade_to_rows(sqlite3 *db);

#endif
