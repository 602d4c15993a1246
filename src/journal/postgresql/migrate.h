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

#endif
