/*
 * Facts about this process for the status page and /api/v1/status: what is stored, and how full the
 * limits are.
 */
#ifndef API_STATUS_FACTS_H
#define API_STATUS_FACTS_H

#include "api/api.h"
#include "expose/own_metrics.h"
#include "store/store.h"

enum { LIMIT_USES = 9 };

struct status_facts {
	struct store_counts stored;
	const char *database; /* the file, or the schema in PostgreSQL; "": there is none, restarts
				 lose everything */
	uint64_t database_bytes;
	struct limit_use limits[LIMIT_USES];
};

/* Any thread, once the gateway is ready. */
void status_facts_collect(struct api *api, struct status_facts *ret);

#endif
