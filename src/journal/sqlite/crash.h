/*
 * What the last process has left, looked at before SQLite does: it mends what it can and says
 * nothing of the rest. While a gateway has the database open, the database says so: its
 * application_id is another one, from before the first commit. So a copy that was made without the
 * WAL, or a WAL that was removed, is told from a database that was closed.
 */
#ifndef JOURNAL_SQLITE_CRASH_H
#define JOURNAL_SQLITE_CRASH_H

#include <stdbool.h>

#include "base/err.h"

enum crash_result {
	CRASH_SOUND,   /* all that was committed is there */
	CRASH_DOUBT,   /* the same after a power cut; if there was none, *err says what is lost */
	CRASH_MENDED,  /* the same, after a damaged header of the WAL was made again: see *err */
	CRASH_DAMAGED, /* something that was committed is missing: *err says what */
	CRASH_FAILED,  /* *err says what could not be read */
};

/*
 * Before the database is opened. One that is in use is somebody else's to judge: sound. *ret_wal:
 * there is a WAL with something in it. Its frames that were never committed are cut off, and all of
 * them if it was being begun anew. A header that a power cut has torn follows from the first frame.
 */
enum crash_result crash_look(const char *path, bool *ret_wal, struct err *err);

#endif
