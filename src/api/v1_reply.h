/*
 * Answers of the endpoints below /api/v1 that the Go gateway does not have, in the form of
 * Prometheus's API: {"status":"success","data":...,"warnings":[...]} or
 * {"status":"error","errorType":...,"error":...}. They have no headers for scripts of other
 * origins.
 */
#ifndef API_V1_REPLY_H
#define API_V1_REPLY_H

#include "api/api.h"
#include "api/params.h"
#include "base/err.h"
#include "expose/schedule.h"

/* On the worker; each ends the request. */
void v1_reply_error(struct api_worker *w, struct http_request *req, const struct err *why);
/* data: JSON. */
void v1_reply(struct api_worker *w, struct http_request *req, int status, struct str data,
	      struct str warning);

/*
 * Parses and checks the parameters of the current request. strict, for a request that changes
 * something: an unknown parameter is an error. Otherwise *ret_warning, in the arena, names it;
 * empty: all are known. -1: *err, and the caller answers.
 */
int v1_params(struct api_worker *w, const char *const *known, size_t n_known, bool strict,
	      struct params *ret, struct str *ret_warning, struct err *err);

/*
 * An answer that looks at all groups, made on the background thread, in turns with others. Embed it
 * as the first member; v1_run() then owns it.
 */
struct v1_job {
	struct job job;        /* first; on the way to the background thread */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	bool crowded;
	struct strbuf warning; /* empty: none */
	/*
	 * Goes on until it is done (true) or until_ns has come. It is done when `data` is the JSON
	 * to be sent, or when err has a reason.
	 */
	bool (*step)(struct v1_job *j, int64_t until_ns);
	void (*free)(struct v1_job *j); /* called on any thread; frees the block itself, too */
	struct strbuf data;
	struct err err;
};

/* On the worker. The caller has set step and free. */
void v1_run(struct api_worker *w, struct http_request *req, struct v1_job *j);

/*
 * Appends Unix seconds as RFC 3339 in UTC with milliseconds, in quotes: sorted as text they are in
 * order.
 */
void v1_add_time(struct strbuf *b, double at);

#endif
