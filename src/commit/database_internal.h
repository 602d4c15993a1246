/*
 * What the files of database.h share: database.c commits and remembers the verdict,
 * database_mend.c repairs, and database_shared.c reads what other gateways write. The committer's
 * thread only.
 */
#ifndef COMMIT_DATABASE_INTERNAL_H
#define COMMIT_DATABASE_INTERNAL_H

#include "commit/database.h"

#define SECOND_NS INT64_C(1000000000)

/* ---- database.c ---- */

/* why: NULL after a commit that succeeded. */
void database_set_verdict(struct database *d, const struct err *why);
/* Is the log of a newer version than this program, by what the storage has seen last? */
bool database_storage_is_newer(struct database *d, struct err *why);
/* The log is: nothing of it is read or written until it is no more. Logged once, until then. */
void database_note_newer(struct database *d, const struct err *why);
/* A transaction could not be begun, or the log could not be read. Logged once, until it can. */
void database_note_unreachable(struct database *d, const struct err *why);

/* ---- database_mend.c ---- */

/*
 * As database_look_after(), but the verdict stays as it was: 0: the storage is well, or it has been
 * made so. -1: nothing can be committed, and *err says why.
 */
int database_mend(struct database *d, struct err *err);

/* ---- database_shared.c ---- */

/*
 * As database_begin(), but for no longer than that many nanoseconds, and -1 is not logged. What
 * others write is published meanwhile.
 */
int database_begin_within(struct database *d, int64_t longest_ns, struct err *err);
/* The log was of a newer version: what is its health now, and is there more of it? */
enum storage_health database_look_again(struct database *d, struct err *err);

#endif
