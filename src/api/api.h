/*
 * Shared by the endpoints: one struct api for the process, and a struct api_worker for each HTTP
 * worker. The endpoints themselves are in endpoints.h.
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
	struct freshness *freshness; /* NULL: only this process writes to the database */
	char replica[320];    /* this gateway's name among those that write to one database */
	atomic_bool stopping; /* requests that wait for `freshness` are given up */
	struct background *background;
	struct large_pushes *large_pushes;
	unsigned scrapes_being_made; /* used only by the background thread, which makes them */
	unsigned parts_being_made;   /* the same for scrapes with match[], which are among these */
	struct http_server *server;
	struct admission *admission; /* NULL: no --web.config.file */
	struct current_rules *rules; /* NULL: no --config.file */
	/*
	 * The store is loaded. Until then workers may use only config, rules, admission, queue and
	 * counters.
	 */
	atomic_bool ready;
	atomic_bool quit_asked;   /* by /-/quit */
	int64_t started_ns;       /* Unix time */
	bool database_set_aside;  /* the one found at start was damaged */
	uint64_t salvaged_groups; /* groups that were saved from it */
	struct counters counters;
	struct refusals *refusals; /* which refusals have been logged */
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
	struct push_reader reader;        /* with the arena of the current request */
	struct push_path push_path;       /* and the group of its path */
	const struct access_entry *entry; /* whose labels complete its key; NULL: none */
	struct str query;                 /* the part of its target behind the '?', as sent */
	struct http_task wake_task;       /* wakes the committer after a round of requests */
	bool wake_due;
};

/* For http_server_start(): arg is the struct api. */
extern const struct http_handler api_handler;

#endif
