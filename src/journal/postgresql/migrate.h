/* Brings the schema up to date: migrations/postgresql, compiled in (private to journal/postgresql).
 */
#ifndef JOURNAL_POSTGRESQL_MIGRATE_H
#define JOURNAL_POSTGRESQL_MIGRATE_H

#include "journal/postgresql/session.h"

/*
 * Makes the schema if it is not there. Several gateways may do so at once. -1: it is of a newer
 * version, not ours, or the user may not; *err says what to do.
 */
int postgresql_migrate(struct session *s, struct err *err);

/* The schema is there, and of this version; changes nothing. -1: *err says what to do. */
int postgresql_check_schema(struct session *s, struct err *err);

/*
 * In a transaction that is open: makes the schema, where it is not there, and its tables. -1: it
 * has tables already, which somebody may be using.
 */
int postgresql_make_schema(struct session *s, struct err *err);

#endif
