/*
 * A database that is only to be looked at: opening it where it is would take its WAL into it, bring
 * it to the newest schema, and need the right to write. So its files are copied first, to a
 * directory of our own.
 */
#ifndef JOURNAL_SQLITE_PRIVATE_COPY_H
#define JOURNAL_SQLITE_PRIVATE_COPY_H

#include "base/err.h"
#include "base/str.h"

struct private_copy {
	struct strbuf dir, db; /* db: the name of the copy */
};

/*
 * In $TMPDIR, or /var/tmp: it is as large as the database. -1: there is no such file of ours, a
 * running gateway has it, or it cannot be copied: *err says which.
 */
int private_copy_make(const char *path, struct private_copy *ret, struct err *err);
/* Removes it. All zeros is fine. */
void private_copy_done(struct private_copy *c);

#endif
