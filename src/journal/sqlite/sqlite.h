/* The SQLite engine. All SQL of the project is in sqlite.c, migrate.c and migrations/. */
#ifndef JOURNAL_SQLITE_SQLITE_H
#define JOURNAL_SQLITE_SQLITE_H

#include "journal/storage.h"

enum sqlite_open_result {
	SQLITE_OPENED,
	SQLITE_OPEN_DAMAGED, /* ours, and it does not hold together: may be set aside */
	SQLITE_OPEN_FAILED,  /* in use, not writable, newer schema, not ours ...: *err says what to
				do */
};

/*
 * Opens or creates the file and brings its schema up to date. Every path is that of a file,
 * whatever SQLite takes it for, and an empty one is refused. *ret_storage: ops->close() ends it.
 */
enum sqlite_open_result sqlite_storage_open(const char *path, struct storage **ret_storage,
					    struct err *err);

struct sqlite_schema {
	int found; /* 0: a new database */
	int now;
};

/* Which version of the schema opening has found, and what it has been brought to. */
struct sqlite_schema sqlite_storage_schema(struct storage *st);

#endif
