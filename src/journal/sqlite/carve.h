/*
 * Rows of the log taken out of a damaged database without SQLite, page by page: SQLite gives up
 * where a tree does not hold together, and drops what follows a damaged frame of the WAL. The
 * checksum of each row tells written rows from bytes that only look like one. Format:
 * sqlite.org/fileformat2.html, sections 1 and 4.
 */
#ifndef JOURNAL_SQLITE_CARVE_H
#define JOURNAL_SQLITE_CARVE_H

#include "base/err.h"
#include "store/rows.h"

/* intact: as row_verdict() says; if not, nothing of the row can be relied on. Borrowed. */
typedef void (*carve_fn)(void *arg, const struct row *row, bool intact);

/*
 * Rows in no order, one of them perhaps several times. Reads PATH and PATH-wal and changes neither;
 * nobody may write to them meanwhile. -1: PATH cannot be read, *err says why.
 */
int carve_rows(const char *path, carve_fn fn, void *arg, struct err *err);

/* Whether there is one as it was written: then the file is ours, whatever else became of it. */
bool carve_finds_a_row(const char *path);

#endif
