/*
 * The PostgreSQL engine: the log in a schema of its own. A writer first locks the one row of
 * `head`, and then checks that the log ends with the newest row that its store has.
 */
#ifndef JOURNAL_POSTGRESQL_POSTGRESQL_H
#define JOURNAL_POSTGRESQL_POSTGRESQL_H

#include "journal/storage.h"

struct postgresql_settings {
	const char *url;    /* as libpq takes it: postgresql://... or a connection string */
	const char *schema; /* is made if it does not exist */
	int64_t poll_ns;    /* how often to look for rows of others */
	int64_t timeout_ns; /* for the answer to a statement, a lock, a connection */
	/* Nothing is changed; gateways may be using the log. */
	bool reads_only;
};

/*
 * Connects, and makes the schema if it is not there. An existing schema stays as it is: a log of
 * the previous epoch is written as the previous version does. Borrows nothing. 0: *ret_storage,
 * which ops->close() frees. -1: *err says what to do, without the password.
 */
int postgresql_storage_open(const struct postgresql_settings *settings,
			    struct storage **ret_storage, struct err *err);

/* The epoch of the log (migrate.h), and the newest that this version knows. */
struct postgresql_epoch {
	long is, newest;
};

struct postgresql_epoch postgresql_storage_epoch(struct storage *st);

/* Settings of the server with which a crash of its machine may lose committed rows. */
struct postgresql_unsafe {
	bool fsync_off, full_page_writes_off;
};

/* The settings of the server that was connected to last. */
struct postgresql_unsafe postgresql_storage_unsafe(struct storage *st);

/*
 * Brings the log to the newest epoch. -1: *err says what to do, and whether anything has changed.
 */
int postgresql_storage_raise(const struct postgresql_settings *settings,
			     struct postgresql_epoch *ret_before, struct err *err);

/*
 * Makes the schema and its tables, with the rows that `fill` writes and may read back, in one
 * transaction: a process that is killed meanwhile leaves nothing. -1: there are such tables
 * already, or *err says what else is wrong; nothing was made, unless *err says that it may have
 * been.
 */
int postgresql_storage_create(const struct postgresql_settings *settings, storage_fill_fn fill,
			      void *arg, struct err *err);

/*
 * -1: libpq cannot read the URL, or would take a piece of its password for something else, which
 * its messages would show. *err repeats nothing of the URL.
 */
int postgresql_check_url(const char *url, struct err *err);

#endif
