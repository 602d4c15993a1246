/* Opens and loads the database of --persistence.file. */
#ifndef PROCESS_STARTUP_H
#define PROCESS_STARTUP_H

#include "config/config.h"
#include "import/import.h"
#include "journal/storage.h"
#include "store/store.h"

struct opened {
	struct store *store;
	struct storage *storage; /* NULL: memory only */
	bool set_aside;          /* the database found was damaged, and was replaced by a new one */
	uint64_t salvaged_groups; /* groups that were saved from it */
};

/*
 * Before any other thread runs. If no flag asks for a database and the default one cannot be made,
 * as in a container with a read-only file system, there is none, which is logged.
 */
void startup_choose_database(struct config *c);

struct startup_listener {
	/*
	 * Called once everything that could keep the gateway from serving has been checked; twice,
	 * if the data is damaged.
	 */
	void (*loading)(void *arg);
	void *arg;
};

/*
 * Opens and loads the database, before the committer starts and before any other thread may use the
 * store. The file of a Go Pushgateway is imported first, and of a damaged database readable rows
 * are saved; both are logged. -1: *err says what to do, and *ret holds nothing.
 */
int startup_open(const struct config *c, const struct startup_listener *listener,
		 struct opened *ret, struct err *err);

/* An empty store that knows the own metrics. */
struct store *startup_new_store(const struct store_limits *lim);

/* Appends the labels of a group's key, as in the exposition. */
void startup_write_group(struct str key, struct strbuf *out);

/* Where an import comes from, for the log. */
struct startup_origin {
	const char *key, *value; /* "file" or "url" */
};

/* An import_listener's function: arg is a struct startup_origin. */
void startup_log_left_out(void *arg, const char *group, struct str family, const char *why);
/* Logs an import; key and value are a further pair of the line. */
void startup_log_imported(const char *msg, const struct startup_origin *from, const char *key,
			  const char *value, const struct import_counts *n);

#endif
