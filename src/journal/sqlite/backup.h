/*
 * A copy of a database, made in steps between commits by the connection that owns it (connection.c
 * says why no other can). SQLite writes what is committed meanwhile into the copy, too, so that it
 * never has to begin again. The copy is a file without a name, so that a process that is killed
 * leaves nothing behind.
 */
#ifndef JOURNAL_SQLITE_BACKUP_H
#define JOURNAL_SQLITE_BACKUP_H

#include <sqlite3.h>

#include "journal/storage.h"

struct backup;

/* The pages that each step copies. Fewer in tests, so that something comes in between. */
extern int backup_step_pages;

/*
 * Begins a copy, and takes room for all of it from the disk at once. NULL: *err says why there can
 * be none.
 */
struct backup *backup_begin(sqlite3 *from, struct err *err);
/* The backup_step of struct storage_ops: about a millisecond's work. */
enum storage_backup_result backup_step(struct backup *b, struct storage_backup *ret,
				       struct err *err);
/* Call before its connection is closed. NULL is fine. */
void backup_free(struct backup *b);

/* Removes a copy that still has its name, since its process was killed right after it was made. */
void backup_remove_left(sqlite3 *db);

#endif
