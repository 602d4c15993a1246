/* The gateway's metrics about itself, as a scrape shows them: the Go gateway's, and ours. */
#ifndef EXPOSE_OWN_METRICS_H
#define EXPOSE_OWN_METRICS_H

#include <stdbool.h>

#include "commit/committer.h"
#include "commit/freshness.h"
#include "config/current_rules.h"
#include "expose/counters.h"
#include "store/store.h"

enum { OWN_MAX = 64 };

struct own_family {
	struct str name;
	size_t at, n; /* header and samples, in the text */
};

struct own_metrics {
	const char *replica; /* as in own_sources */
	struct strbuf text;
	struct own_family families[OWN_MAX]; /* sorted by name */
	size_t n;
};

/* How full a limit is. */
struct limit_use {
	const char *flag; /* name without dashes; NULL: no flag sets the limit */
	const char *what; /* in words */
	bool bytes;       /* used and limit are bytes */
	uint64_t used, limit;
};

/* Where the numbers come from; borrowed. */
struct own_sources {
	const char *replica; /* value of the label `replica` of all own metrics; NULL: none */
	struct store *store;
	struct queue *queue;
	struct committer *committer;
	struct freshness *freshness; /* NULL: only this process writes to the database */
	struct http_server *server;
	struct counters *counters;
	struct current_rules *rules; /* NULL: no --config.file */
	bool database_set_aside;     /* the one found at start was damaged */
	uint64_t salvaged_groups;    /* groups saved from it */
	const struct limit_use *limits;
	size_t n_limits;
};

/* Announces the own metrics to the store; before the first push and before loading. */
void own_announce(struct store *store);

void own_collect(struct own_metrics *own, const struct own_sources *from);
void own_done(struct own_metrics *own);

static inline struct str own_text(const struct own_metrics *own, const struct own_family *f)
{
	return (struct str){ own->text.p + f->at, f->n };
}

#endif
