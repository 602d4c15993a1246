/* The hosts of a URL, each of which is tried for itself (private to journal/postgresql). */
#ifndef JOURNAL_POSTGRESQL_HOSTS_H
#define JOURNAL_POSTGRESQL_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* What the URL says in their place. NULL: as the URL, the environment or libpq itself says. */
struct host {
	char *name, *address, *port;
};

struct hosts {
	struct host *list; /* one at least */
	size_t n;
	int64_t timeout_ns; /* that each of them has, by the URL's connect_timeout; 0: none */
};

/* Of whatever libpq can read; where it cannot, there is one of which nothing is known. */
struct hosts hosts_of(const char *url);
void hosts_done(struct hosts *h);

#endif
