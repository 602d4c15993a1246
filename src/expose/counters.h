/* Counts of requests. Handlers and methods have the names of the Go gateway; as there, scrapes are
 * not counted. Any thread.
 */
#ifndef EXPOSE_COUNTERS_H
#define EXPOSE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/quantiles.h"
#include "expose/job_counts.h"
#include "http/server.h"

enum handler {
	HANDLER_PUSH,
	HANDLER_DRY_RUN,
	HANDLER_DELETE,
	HANDLER_HEALTHY,
	HANDLER_READY,
	HANDLER_STATUS, /* the page */
	HANDLER_STATIC, /* files of the page */
	HANDLER_WIPE,
	HANDLER_API_STATUS,
	HANDLER_API_METRICS,
	HANDLER_API_OPTIONS,
	HANDLER_API, /* our own endpoints below /api/v1, which also count requests to themselves */
	HANDLER_REFUSED, /* refused before any endpoint: malformed, wrong password, unknown path ...
			  */
	N_HANDLERS,
	HANDLER_NONE = N_HANDLERS, /* not counted */
};
enum push_method { PUSH_METHOD_POST, PUSH_METHOD_PUT, N_PUSH_METHODS };

/* Why pushes and deletes are refused. */
enum reject {
	REJECT_PATH,         /* 400: the URL names no group */
	REJECT_BODY,         /* 400, 415: does not parse */
	REJECT_INCONSISTENT, /* 400: breaks a rule, alone or together with what is stored */
	REJECT_CONFLICT,     /* 409: another mode than the group has, resets in a row */
	REJECT_LIMIT,        /* 413, 507 */
	REJECT_BUSY,         /* 503: the queue is full, or the gateway stops */
	REJECT_STORAGE,      /* 503: the database did not take it */
	REJECT_DENIED,       /* 400, 413: deny_labels or deny_values; the body is kept nowhere */
	REJECT_LINT,         /* 400: names, by a rule with lint: refuse */
	REJECT_RULE_LIMIT,   /* 413, 507: limits of a rule */
	N_REJECTS,
};

/* Oddities of pushes that are accepted with a warning, by job. */
enum push_oddity {
	ODD_RESET,     /* a count fell, and no start of a process explains it */
	ODD_INHERITED, /* the counts are older than their process */
	ODD_REPEATED,  /* a process has added twice */
	N_PUSH_ODDITIES,
};

/* Why a request is refused because of --web.config.file, or of `access:`. */
enum refusal {
	REFUSED_AUTH, /* 401 */
	REFUSED_BUSY, /* 503: too many passwords wait to be checked */
	REFUSED_RATE, /* 429 */
	REFUSED_ROLE, /* 403, or 401 without a name: by `access:` of --config.file */
	N_REFUSALS,
};

enum { N_CODES = 22 };

struct counters {
	atomic_ullong requests[N_HANDLERS][HTTP_OTHER + 1][N_CODES];
	atomic_ullong rejects[N_REJECTS];
	atomic_ullong refusals[N_REFUSALS];
	atomic_ullong replies_refused; /* over --limits.reply-bytes */
	struct job_counts oddities[N_PUSH_ODDITIES];
	struct job_counts lint; /* names that break the naming rules, as found last */
	struct quantiles push_seconds[N_PUSH_METHODS], push_bytes[N_PUSH_METHODS];
};

void counters_init(struct counters *c);
void counters_done(struct counters *c);

void counters_request(struct counters *c, enum handler handler, enum http_method method,
		      int status);

extern const char *const counters_handlers[N_HANDLERS];
extern const char *const counters_methods[HTTP_OTHER + 1];
extern const char *const counters_rejects[N_REJECTS];
extern const char *const counters_refusals[N_REFUSALS];
extern const int counters_codes[N_CODES];

#endif
