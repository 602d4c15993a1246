/*
 * A copy of a database, made by the connection that owns it (connection.c says why by no other), in
 * steps between its commits. SQLite writes what is committed meanwhile into the copy, too, so that
 * it never begins again, however much is pushed. The copy is as long in a file without a name as
 * nobody has read it: a process that is killed leaves nothing behind.
 */
#ifndef JOURNAL_SQLITE_BACKUP_H
#define JOURNAL_SQLITE_BACKUP_H

#include <sqlite3.h>

#include "journal/storage.h"

struct backup;

/* Of a step. Fewer in tests, so that something comes in between. */
extern int backup_step_pages;

/* Room for all of it is taken from the disk at once. NULL: *err says why there can be none. */
struct backup *backup_begin(sqlite3 *from, struct err *err);
/* A millisecond's work, on a disk that is not slow. As a storage's backup_step. */
enum storage_backup_result backup_step(struct backup *b, struct storage_backup *ret,
				       struct err *err);
/* Before its connection is closed. NULL is fine. */
void backup_free(struct backup *b);

/* Between its making and the loss of its name a process may have been killed. */
void backup_remove_left(sqlite3 *db);

#endif
