/*
 * Shared by the files that implement database.h: database.c commits and remembers the verdict,
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
/* Whether the log is of a newer version than this program, as the storage has seen last. */
bool database_storage_is_newer(struct database *d, struct err *why);
/*
 * Notes that the log is: it is not read or written until that has changed. Logged once, until then.
 */
void database_note_newer(struct database *d, const struct err *why);
/*
 * Notes that a transaction could not be begun, or the log not be read. Logged once, until it can.
 */
void database_note_unreachable(struct database *d, const struct err *why);

/* ---- database_mend.c ---- */

/*
 * Like database_look_after(), but the verdict stays as it was. 0: the storage is well, or has been
 * repaired. -1: nothing can be committed, and *err says why.
 */
int database_mend(struct database *d, struct err *err);

/* ---- database_shared.c ---- */

/*
 * Like database_begin(), but for at most longest_ns nanoseconds, and -1 is not logged. Rows of
 * others are published meanwhile.
 */
int database_begin_within(struct database *d, int64_t longest_ns, struct err *err);
/* After the log was of a newer version: follows it, and returns its health now. */
enum storage_health database_look_again(struct database *d, struct err *err);

#endif
