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
	int64_t poll_ns;    /* how often others' rows are looked for */
	int64_t timeout_ns; /* for the answer to a statement, a lock, a connection */
	/* What is there is read as it is: nothing is changed, and gateways may be using it. */
	bool reads_only;
};

/*
 * Connects, and makes the schema if it is not there. One that is there stays as it is: a log of the
 * epoch before is written as the version before does. Borrows nothing. NULL: *err says what to do;
 * no password is in there. *ret_storage: ops->close() ends it.
 */
int postgresql_storage_open(const struct postgresql_settings *settings,
			    struct storage **ret_storage, struct err *err);

/* What the log may hold (migrate.h), and what it could hold for this version. */
struct postgresql_epoch {
	long is, newest;
};

struct postgresql_epoch postgresql_storage_epoch(struct storage *st);

/* Settings of the server without which a crash of its machine may lose what was committed. */
struct postgresql_unsafe {
	bool fsync_off, full_page_writes_off;
};

/* Of the server that was connected to last. */
struct postgresql_unsafe postgresql_storage_unsafe(struct storage *st);

/*
 * Brings the log to the newest epoch. -1: *err says what to do, and whether anything has changed.
 */
int postgresql_storage_raise(const struct postgresql_settings *settings,
			     struct postgresql_epoch *ret_before, struct err *err);

/*
 * Makes the schema and its tables, with what `fill` writes and may read back, in one transaction:
 * whoever is killed in between leaves nothing. -1: there are such tables already, or *err says what
 * else there is to do; only where it says so, all of it may be there.
 */
int postgresql_storage_create(const struct postgresql_settings *settings, storage_fill_fn fill,
			      void *arg, struct err *err);

/*
 * -1: libpq cannot read it, or takes a piece of a password for something else, which it would say.
 * Nothing of it is repeated in *err.
 */
int postgresql_check_url(const char *url, struct err *err);

#endif
