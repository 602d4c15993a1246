/* What the gateway starts with: the database that --persistence.file names, loaded. */
#ifndef STARTUP_H
#define STARTUP_H

#include "config.h"
#include "persist/storage.h"
#include "store/store.h"

struct opened {
	struct store *store;
	struct storage *storage; /* NULL: memory only */
	bool set_aside;          /* the database found was damaged: this is an empty one */
};

/*
 * Before the committer and before anybody may see the store. A Go Pushgateway's file is imported
 * first, a damaged database is set aside; both are logged. -1: *err says what to do, and *ret holds
 * nothing.
 */
int startup_open(const struct config *c, struct opened *ret, struct err *err);

#endif
