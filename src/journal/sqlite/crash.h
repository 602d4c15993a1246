/*
 * Looks at the files that the last process has left before SQLite does, which mends what it can and
 * does not report the rest. While a gateway has the database open, the database has another
 * application_id, set before the first commit. So a copy that was made without the WAL, or a WAL
 * that was removed, can be told from a database that was closed.
 */
#ifndef JOURNAL_SQLITE_CRASH_H
#define JOURNAL_SQLITE_CRASH_H

#include <stdbool.h>

#include "base/err.h"

enum crash_result {
	CRASH_SOUND, /* everything that was committed is there */
	CRASH_DOUBT, /* sound if there was a power cut; if there was none, *err says what is lost */
	CRASH_MENDED,     /* sound, after a damaged header of the WAL was made again: see *err */
	CRASH_DAMAGED,    /* committed rows are missing: *err says what is damaged */
	CRASH_IN_USE,     /* another process has the database open: nothing was looked at */
	CRASH_UNREADABLE, /* the disk does not read something; nothing was changed */
	CRASH_FAILED,     /* *err says what cannot be done */
};

/*
 * Call before the database is opened. *ret_wal: there is a WAL that is not empty. Frames that were
 * never committed are cut off, and all frames if the WAL was being begun anew. A header that a
 * power cut has torn is made again from the first frame.
 */
enum crash_result crash_look(const char *path, bool *ret_wal, struct err *err);

#endif
