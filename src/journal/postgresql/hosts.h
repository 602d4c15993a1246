/* The hosts of a URL, which are tried one by one (private to journal/postgresql). */
#ifndef JOURNAL_POSTGRESQL_HOSTS_H
#define JOURNAL_POSTGRESQL_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * Connection parameters that replace those of the URL. NULL: as the URL, the environment or libpq
 * itself has it.
 */
struct host {
	char *name, *address, *port;
};

struct hosts {
	struct host *list; /* one at least */
	size_t n;
	int64_t timeout_ns; /* for each of them, from connect_timeout; 0: none */
};

/* Reads all that libpq can read; from anything else it makes one host with all members NULL. */
struct hosts hosts_of(const char *url);
void hosts_done(struct hosts *h);

#endif
