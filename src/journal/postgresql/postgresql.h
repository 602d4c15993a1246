/*
 * The PostgreSQL engine: the log in a schema of its own. Whoever writes takes the lock on the one
 * row of `head` first, and then looks whether the log ends where his store does.
 */
#ifndef JOURNAL_POSTGRESQL_POSTGRESQL_H
#define JOURNAL_POSTGRESQL_POSTGRESQL_H

#include "journal/storage.h"

struct postgresql_settings {
	const char *url;    /* as libpq takes it: postgresql://... or a connection string */
	const char *schema; /* made if it is not there */
	int64_t timeout_ns; /* for the answer to a statement, a lock, a connection */
};

/*
 * Connects, and brings the schema up to date. Borrows nothing. NULL: *err says what to do; no
 * password is in there. *ret_storage: ops->close() ends it.
 */
int postgresql_storage_open(const struct postgresql_settings *settings,
			    struct storage **ret_storage, struct err *err);

/* -1: libpq cannot read it. What it says of it is not repeated, as a password may be in there. */
int postgresql_check_url(const char *url, struct err *err);

#endif
