/*
 * A copy of a database that is only to be looked at: opening the database itself would move its WAL
 * into it, bring it to the newest schema, and need the right to write. So its files are copied to a
 * directory of our own. A process that is ended by a signal removes that; what a killed process
 * leaves, the next one that makes a copy removes. One thread, one copy at a time.
 */
#ifndef JOURNAL_SQLITE_PRIVATE_COPY_H
#define JOURNAL_SQLITE_PRIVATE_COPY_H

#include "base/err.h"
#include "base/str.h"
#include "journal/sqlite/bad_blocks.h"

struct private_copy {
	struct strbuf dir, db; /* db: the name of the copy */
	int lock;              /* held on dir while db is used */
	struct bad_blocks bad; /* of the database, zeros in the copy; n 0: the disk reads all */
};

/*
 * Makes the copy in $TMPDIR, or /var/tmp; it is as large as the database. *ret must not move until
 * private_copy_done(). -1: there is no database of ours, a running gateway uses it, or it cannot be
 * copied: *err says which.
 */
int private_copy_make(const char *path, struct private_copy *ret, struct err *err);
/* Removes the copy. All zeros is fine. */
void private_copy_done(struct private_copy *c);

#endif
