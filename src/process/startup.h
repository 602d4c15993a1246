/* Opens and loads the database of --persistence.file. */
#ifndef PROCESS_STARTUP_H
#define PROCESS_STARTUP_H

#include "config/config.h"
#include "import/import.h"
#include "journal/storage.h"
#include "store/store.h"

struct opened {
	struct store *store;
	struct storage *storage;  /* NULL: memory only */
	bool set_aside;           /* the database found was damaged: this is a new one */
	uint64_t salvaged_groups; /* that came over from it */
};

/*
 * Before any thread runs: nobody has asked for a database, so where the default one cannot be made
 * there is none (a container whose file system is read-only). Logged.
 */
void startup_choose_database(struct config *c);

struct startup_listener {
	/* What would keep us from serving has been looked for; twice, if the data is damaged. */
	void (*loading)(void *arg);
	void *arg;
};

/*
 * Before the committer and before anybody may see the store. A Go Pushgateway's file is imported
 * first, of a damaged database what can be read is brought over; both are logged. -1: *err says
 * what to do, and *ret holds nothing.
 */
int startup_open(const struct config *c, const struct startup_listener *listener,
		 struct opened *ret, struct err *err);

/* Empty, and it knows our own metrics. */
struct store *startup_new_store(const struct store_limits *lim);

/* The labels of a group's key, as in the exposition. */
void startup_write_group(struct str key, struct strbuf *out);

/* Where an import comes from, for the log. */
struct startup_origin {
	const char *key, *value; /* "file" or "url" */
};

/* An import_listener's function: arg is a struct startup_origin. */
void startup_log_left_out(void *arg, const char *group, struct str family, const char *why);
/* One more pair of the line is the caller's. */
void startup_log_imported(const char *msg, const struct startup_origin *from, const char *key,
			  const char *value, const struct import_counts *n);

#endif
