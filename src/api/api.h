/*
 * What the endpoints share: one struct api for the process, and for each HTTP worker a struct
 * api_worker of its own. The endpoints themselves are in endpoints.h.
 */
#ifndef API_API_H
#define API_API_H

#include <stdatomic.h>
#include <stdbool.h>

#include "api/path.h"
#include "api/read_push.h"
#include "expose/counters.h"
#include "http/server.h"

struct api {
	const struct config *config;
	struct store *store;
	struct queue *queue;
	struct committer *committer;
	struct freshness *freshness; /* NULL: nobody else writes to the database */
	char replica[320];    /* where others write, too: what tells this gateway from them */
	atomic_bool stopping; /* what waits for it is given up */
	struct background *background;
	struct large_pushes *large_pushes;
	unsigned scrapes_being_made; /* by the background thread, which alone uses this */
	unsigned parts_being_made;   /* likewise: of these, what a match[] means */
	struct http_server *server;
	struct admission *admission; /* NULL: no --web.config.file */
	struct current_rules *rules; /* NULL: no --config.file */
	/* The store is loaded. Until then only config, rules, admission, queue and counters are
	 * there for the workers. */
	atomic_bool ready;
	atomic_bool quit_asked;   /* by /-/quit */
	int64_t started_ns;       /* Unix time */
	bool database_set_aside;  /* the one found at start was damaged */
	uint64_t salvaged_groups; /* that came over from it */
	struct counters counters;
	struct refusals *refusals; /* what of them is in the log */
	struct rejections *rejections;
	struct changes *changes;
	atomic_bool linting;         /* a scan of lint_scan.h is under way */
	atomic_bool has_findings;    /* the last one found something */
	_Atomic int64_t lint_due_ns; /* monotonic: when the next one may begin */
};

struct access_entry; /* config/access_rules.h */

struct api_worker {
	struct api *api;
	struct http_worker *http;
	struct push_reader reader;        /* with the arena of the request at hand */
	struct push_path push_path;       /* and where it pushes to */
	const struct access_entry *entry; /* whose labels complete its key; NULL: none */
	struct str query;                 /* what follows the '?' of its target, as sent */
	struct http_task wake_task;       /* wakes the committer after a round of requests */
	bool wake_due;
};

/* For http_server_start(): arg is the struct api. */
extern const struct http_handler api_handler;

#endif
