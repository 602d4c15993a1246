/*
 * Replaces a database by a new one: replace_begin() gives the name to make it under, and removes
 * anything with that name; replace_complete() marks it as complete; replace_put_in_place() moves
 * the old database aside (db_file_set_aside()) and gives the new one its name. If the process is
 * killed in between, the next start calls that again. Names only, no SQL; as for file.h, never
 * while this process has the database open.
 */
#ifndef JOURNAL_SQLITE_REPLACE_H
#define JOURNAL_SQLITE_REPLACE_H

#include "base/new_file.h"
#include "base/str.h"
#include "journal/sqlite/hold.h"

/*
 * From the start the new database can be read by nobody who could not read the old one: whom like
 * says, or, if that is not known, the permissions of the old one's files. -1: *err, which also says
 * if another process writes a new one.
 */
int replace_begin(const char *path, const struct file_access *like, struct strbuf *ret_new,
		  struct err *err);
/* Removes what was begun, unless another process is writing it. */
void replace_drop(const char *path);
int replace_complete(const char *path, struct err *err);
/*
 * held: what had the name before the new one was begun. 1: *ret_kept is the name of the old
 * database, empty if there was none. 0: there is no complete new one. -1: *err; if another process
 * has made a database with the name since, the new one is removed, as a later start would put it in
 * place of that.
 */
int replace_put_in_place(const char *path, const struct hold *held, struct strbuf *ret_kept,
			 struct err *err);

/* -1: another process is writing a new database for this name: *err says so. */
int replace_check_unused(const char *path, struct err *err);

#endif
