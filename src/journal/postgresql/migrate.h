/* The schema and the epoch of the log: migrations/postgresql, compiled in (private to
 * journal/postgresql).
 *
 * The epoch says what the log may hold: it is the number of migrations that the log has seen. A
 * version writes as its epoch and as the one before say, whichever the log has, so that gateways of
 * two versions can write to one log. Only postgresql_raise_epoch() changes what is there.
 */
#ifndef JOURNAL_POSTGRESQL_MIGRATE_H
#define JOURNAL_POSTGRESQL_MIGRATE_H

#include "journal/postgresql/session.h"

/* That this version knows, and the oldest one that it still writes. */
long postgresql_newest_epoch(void);
long postgresql_oldest_epoch(void);

/*
 * Makes the schema with the newest epoch if it is not there, where several gateways may do so at
 * once; changes nothing of one that is there. -1: it is of an epoch that this version writes no
 * more, not ours, or the user may not; *err says what to do. The epoch may be newer.
 */
int postgresql_open_schema(struct session *s, long *ret_epoch, struct err *err);

/* The same without making it: -1 if it is not there. */
int postgresql_check_schema(struct session *s, long *ret_epoch, struct err *err);

/*
 * Brings the log to the newest epoch, in one transaction, which waits for everybody who has the
 * log's lock or reads. *ret_from: the epoch before, which may be the same. -1: nothing has changed,
 * and *err says what to do; only where it says so, it may have.
 */
int postgresql_raise_epoch(struct session *s, long *ret_from, struct err *err);

/*
 * In a transaction that is open: makes the schema, where it is not there, and its tables. -1: it
 * has tables already, which somebody may be using.
 */
int postgresql_make_schema(struct session *s, struct err *err);

#endif
