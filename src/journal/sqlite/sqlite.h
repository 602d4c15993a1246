/* The SQLite engine. All SQL of the project is in this folder and in migrations/. */
#ifndef JOURNAL_SQLITE_SQLITE_H
#define JOURNAL_SQLITE_SQLITE_H

#include "base/new_file.h"
#include "journal/sqlite/hold.h"
#include "journal/storage.h"

enum sqlite_open_result {
	SQLITE_OPENED,
	SQLITE_OPEN_DAMAGED, /* it is ours, but damaged: the caller may set it aside */
	/* The disk has not read something of it: *err says what. It may be whole, or not ours. */
	SQLITE_OPEN_UNREADABLE,
	SQLITE_OPEN_FAILED, /* in use, not writable, newer schema, not ours ...: *err says what to
			       do */
};

/*
 * Opens or creates the file and brings its schema up to date. The path is always taken as a file's:
 * not as a URI, nor as SQLite's ":memory:"; an empty one is refused. *ret_storage: ops->close()
 * ends it.
 */
enum sqlite_open_result sqlite_storage_open(const char *path, struct storage **ret_storage,
					    struct err *err);

/*
 * Makes a new database, lets fill write into it, and puts it in place of the file at path, which
 * the caller holds. Nobody can read it who may not by `like`, or, if that is not known, by the
 * permissions of the file at path. The old file is kept under the name *ret_kept (empty: there was
 * none).
 */
int sqlite_storage_replace(const char *path, const struct hold *held,
			   const struct file_access *like, storage_fill_fn fill, void *arg,
			   struct strbuf *ret_kept, struct err *err);

/* What opening has found. */
struct sqlite_found {
	int schema;     /* 0: a new database */
	int schema_now; /* after migrations */
	/*
	 * If not ERR_NONE: doubt: the end of the WAL is damaged, maybe by a power cut; mended: its
	 * header was damaged, and was made again.
	 */
	struct err doubt, mended;
};

struct sqlite_found sqlite_storage_found(struct storage *st);

#endif
