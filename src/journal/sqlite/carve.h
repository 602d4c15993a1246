/*
 * Reads rows of the log from a damaged database without SQLite, page by page: SQLite gives up where
 * a tree is broken, and drops everything behind a damaged frame of the WAL. The checksum of each
 * row tells written rows from bytes that only look like one. What the disk does not read is
 * damaged, and the rest is read. Format: sqlite.org/fileformat2.html, sections 1 and 4.
 */
#ifndef JOURNAL_SQLITE_CARVE_H
#define JOURNAL_SQLITE_CARVE_H

#include "base/err.h"
#include "store/rows.h"

/*
 * intact: row_verdict() finds no fault; otherwise nothing of the row can be relied on. The row is
 * borrowed.
 */
typedef void (*carve_fn)(void *arg, const struct row *row, bool intact);

/*
 * Calls fn for rows in no order, for some perhaps several times. Reads PATH and PATH-wal without
 * changing them; nobody may write to them meanwhile. -1: a file cannot be opened, *err says why.
 */
int carve_rows(const char *path, carve_fn fn, void *arg, struct err *err);

/* Whether the file has an intact row: then it is ours, however damaged it is. */
bool carve_finds_a_row(const char *path);

#endif
