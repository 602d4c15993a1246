/* Brings a database to the newest schema: migrations/sqlite, compiled in (private to
 * journal/sqlite). */
#ifndef JOURNAL_SQLITE_MIGRATE_H
#define JOURNAL_SQLITE_MIGRATE_H

#include <sqlite3.h>

#include "base/err.h"
#include "journal/sqlite/sqlite.h"

/*
 * Runs the migrations after the file's user_version, each in a transaction of its own. Returns an
 * SQLite result code; SQLITE_MISMATCH when the file is of a newer version or not ours, with *err
 * set. Sets the schemas in *ret_found.
 */
int migrate(sqlite3 *db, const char *path, struct sqlite_found *ret_found, struct err *err);

/*
 * -1: that schema is of a newer version, which may store what this one would take for damage; *err
 * says so. A version with a single wrong bit is not taken for a newer one.
 */
int migrate_check_newer(int schema, const char *path, struct err *err);

/* SQLite's application_id. */
int migrate_read_id(sqlite3 *db, int *ret);

/* Runs a statement that answers with one number; an SQLite result code. */
int migrate_read_int(sqlite3 *db, const char *sql, int *ret);

#endif
