/*
 * Logs refused requests, and oddities of accepted ones. The first refusal of a job (or of a path
 * without one) for a reason is logged at once; further ones are counted, and logged once a minute.
 * So every refusal shows in the log, and nobody can flood it. Any thread may call.
 */
#ifndef API_REFUSALS_H
#define API_REFUSALS_H

#include "api/api.h"
#include "base/log.h"

struct refusals;

struct refusals *refusals_new(void);
void refusals_free(struct refusals *r); /* logs what has not been logged yet; NULL is fine */

/* All but `reason` is copied when it is kept. */
struct refused_request {
	const char *reason; /* a word that counters use, too: "body", "limit", "auth" ... */
	const char *msg;    /* literals, both */
	enum log_level level;
	int status;
	const char *why, *method;
	struct str target, group;  /* group: as text, empty where there is none */
	const char *source, *user; /* the client; user: NULL or empty: not known */
	bool hidden; /* it may hold a value that deny_values denies, so its texts are not shown */
};

void refusals_note(struct refusals *r, const struct refused_request *what, int64_t now_ns);

/* Call from time to time: logs what is due. now_ns: clock_mono_ns(). */
void refusals_tick(struct refusals *r, int64_t now_ns);

/*
 * Notes a refused push, delete or wipe; group: as text, or empty when the path names none. For
 * REJECT_DENIED the body is kept nowhere, and without a group neither is the path.
 */
void refusals_push(struct api_worker *w, const struct http_request *req, enum reject why,
		   struct str group, const struct err *err);
/* Notes an accepted push, and why it is odd. */
void refusals_warning(struct api_worker *w, struct http_request *req, const char *name,
		      struct str group, const char *why);
/* Notes a request that --web.config.file or `access:` refuses. */
void refusals_request(struct api_worker *w, const struct http_request *req, enum refusal why,
		      int status, const char *msg);
/*
 * For struct http_handler: notes refusals of the server itself. A PUT or POST of a group whose body
 * is over the limit counts as a refused push.
 */
void refusals_http(void *worker, const struct http_refused *refused);

#endif
