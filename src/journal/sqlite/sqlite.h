/* The SQLite engine. All SQL of the project is in this folder and in migrations/. */
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

/*
 * Makes a new database, lets fill write into it, and puts it in place of what has the name now;
 * that is kept, under the name that goes to *ret_kept (empty: there was nothing). Nobody has it
 * open.
 */
int sqlite_storage_replace(const char *path, storage_fill_fn fill, void *arg,
			   struct strbuf *ret_kept, struct err *err);

/* What opening has come across. */
struct sqlite_found {
	int schema;     /* 0: a new database */
	int schema_now; /* that it was brought to */
	struct err
		doubt; /* a reason: the end of the WAL is not whole, which may be a power cut's */
};

struct sqlite_found sqlite_storage_found(struct storage *st);

#endif
