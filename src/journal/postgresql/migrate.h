/*
 * The schema and the epoch of the log: migrations/postgresql, compiled in (private to
 * journal/postgresql).
 *
 * The epoch, the number of migrations that were applied to the log, tells what the log may hold. A
 * version can write logs of its own epoch and of the one before, so that gateways of two versions
 * can write to one log. Only postgresql_raise_epoch() changes an existing log.
 */
#ifndef JOURNAL_POSTGRESQL_MIGRATE_H
#define JOURNAL_POSTGRESQL_MIGRATE_H

#include "journal/postgresql/session.h"

/* The newest epoch that this version knows, and the oldest one that it still writes. */
long postgresql_newest_epoch(void);
long postgresql_oldest_epoch(void);

/*
 * Makes the schema with the newest epoch if it is not there; several gateways may do so at once.
 * Does not change an existing schema. -1: its epoch is older than this version still writes, it is
 * not a gateway's, or the user lacks rights; *err says what to do. *ret_epoch may be newer than
 * this version knows.
 */
int postgresql_open_schema(struct session *s, long *ret_epoch, struct err *err);

/* The same without making the schema: -1 if it is not there. */
int postgresql_check_schema(struct session *s, long *ret_epoch, struct err *err);

/*
 * Brings the log to the newest epoch, in one transaction, which waits for all sessions that hold
 * the log's lock or read it. *ret_from: the epoch before, which may be the same. -1: nothing has
 * changed, unless *err says that this is not known; *err says what to do.
 */
int postgresql_raise_epoch(struct session *s, long *ret_from, struct err *err);

/*
 * Inside an open transaction: makes the schema, if it is not there, and its tables. -1: it has
 * tables already, which somebody may be using.
 */
int postgresql_make_schema(struct session *s, struct err *err);

#endif
