/*
 * The endpoints: from a request to a call below and back to a reply. One struct api for the
 * process; each HTTP worker has a struct api_worker of its own.
 */
#ifndef API_API_H
#define API_API_H

#include <stdatomic.h>
#include <stdbool.h>

#include "api/path.h"
#include "base/arena.h"
#include "commit/committer.h"
#include "config/config.h"
#include "expose/background.h"
#include "expose/counters.h"
#include "http/server.h"
#include "store/store.h"

struct api {
	const struct config *config;
	struct store *store;
	struct queue *queue;
	struct committer *committer;
	struct background *background;
	struct http_server *server;
	struct admission *admission; /* NULL: no --web.config.file */
	/* The store is loaded. Until then only config, admission, queue and counters are there for
	 * the workers. */
	atomic_bool ready;
	atomic_bool quit_asked;  /* by /-/quit */
	int64_t started_ns;      /* Unix time */
	bool database_set_aside; /* the one found at start was damaged */
	struct counters counters;
};

struct api_worker {
	struct api *api;
	struct http_worker *http;
	struct arena arena;         /* of the request at hand */
	struct http_task wake_task; /* wakes the committer after a round of requests */
	bool wake_due;
	struct push_builder builder;
};

/* For http_server_start(): arg is the struct api. */
extern const struct http_handler api_handler;

/* Endpoints. Each answers the request, at once or later. */
void api_push(struct api_worker *w, struct http_request *req, struct str key_path);
void api_scrape(struct api_worker *w, struct http_request *req);
void api_status(struct api_worker *w, struct http_request *req);
void api_metrics(struct api_worker *w, struct http_request *req);
void api_page(struct api_worker *w, struct http_request *req);
void api_wipe(struct api_worker *w, struct http_request *req);

/* RFC 3339 in local time, up to nine fractional digits. ns: Unix time. */
void api_format_time(int64_t ns, char *out, size_t size);

/* The route prefix: "" or "/a/b". */
struct str api_prefix(const struct api_worker *w);
/* The same path but for case and a trailing slash. */
bool api_is_nearly(struct str path, struct str wanted);
/* Answers with a redirect to prefix + path (unescaped) + query (as sent). */
void api_redirect(struct api_worker *w, struct http_request *req, int status, struct str prefix,
		  struct str path, struct str query);

/* Plain-text answers: an error gets nosniff and a trailing LF, as the Go gateway's do. */
void api_reply_text(struct http_request *req, int status, struct str text);
void api_reply_error(struct http_request *req, int status, const char *msg);

/* Any thread: replies that are being read hold more than --limits.reply-bytes; counts it. */
bool api_is_crowded(struct api *api);
void api_refuse_crowded(struct http_request *req);

#endif
