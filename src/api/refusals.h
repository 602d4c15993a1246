/*
 * Logs refused requests, and what is odd about others. The first refusal of a job (or of a path
 * without one) for a reason is logged at once; further ones are counted, and logged once a minute.
 * So every refusal can be seen, and nobody can flood the log. Any thread may call.
 */
#ifndef API_REFUSALS_H
#define API_REFUSALS_H

#include "api/api.h"
#include "base/log.h"

struct refusals;

struct refusals *refusals_new(void);
void refusals_free(struct refusals *r); /* what is not said yet is said; NULL is fine */

/* All but `reason` is copied when it is kept. */
struct refused_request {
	const char *reason; /* a word that counters have too: "body", "limit", "auth" ... */
	const char *msg;    /* literals, both */
	enum log_level level;
	int status;
	const char *why, *method;
	struct str target, group;  /* group: as text, empty where there is none */
	const char *source, *user; /* the client; user: NULL or empty: not known */
	bool hidden; /* there may be a value that deny_values denies: nothing of it is shown */
};

void refusals_note(struct refusals *r, const struct refused_request *what, int64_t now_ns);

/* From time to time: says what is due. now_ns: of clock_mono_ns(). */
void refusals_tick(struct refusals *r, int64_t now_ns);

/*
 * A refused push, delete or wipe; group: as text, or empty when the path names none. Of
 * REJECT_DENIED the body is kept nowhere, and without a group neither is the path.
 */
void refusals_push(struct api_worker *w, const struct http_request *req, enum reject why,
		   struct str group, const struct err *err);
/* A push that was taken, and what is odd about it. */
void refusals_warning(struct api_worker *w, struct http_request *req, const char *name,
		      struct str group, const char *why);
/* What the gate refuses. */
void refusals_request(struct api_worker *w, const struct http_request *req, enum refusal why,
		      int status, const char *msg);
/* For struct http_handler: the server's own. A body over the limit is a push refused. */
void refusals_http(void *worker, const struct http_refused *refused);

#endif
