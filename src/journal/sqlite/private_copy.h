/*
 * A database that is only to be looked at: opening it where it is would take its WAL into it, bring
 * it to the newest schema, and need the right to write. So its files are copied first, to a
 * directory of our own. A process that is ended by a signal removes it; one that is killed leaves
 * it to the next that makes a copy. One thread, one copy at a time.
 */
#ifndef JOURNAL_SQLITE_PRIVATE_COPY_H
#define JOURNAL_SQLITE_PRIVATE_COPY_H

#include "base/err.h"
#include "base/str.h"

struct private_copy {
	struct strbuf dir, db; /* db: the name of the copy */
	int lock;              /* held on dir while db is used */
};

/*
 * *ret must not move until it is done. In $TMPDIR, or /var/tmp: it is as large as the database. -1:
 * there is no such file of ours, a running gateway has it, or it cannot be copied: *err says which.
 */
int private_copy_make(const char *path, struct private_copy *ret, struct err *err);
/* Removes it. All zeros is fine. */
void private_copy_done(struct private_copy *c);

#endif
