#include "expose/counters.h"

const char *const counters_handlers[N_HANDLERS] = {
	"push", "dry_run",       "delete",         "healthy",        "ready",  "status", "static",
	"wipe", "api/v1/status", "api/v1/metrics", "api/v1/options", "api/v1", "none"
};
const char *const counters_methods[HTTP_OTHER + 1] = { "get",     "put",  "post", "delete",
						       "options", "head", "other" };
const char *const counters_rejects[N_REJECTS] = { "path",  "body",      "inconsistent", "conflict",
						  "limit", "busy",      "storage",      "denied",
						  "lint",  "rule_limit" };
const char *const counters_refusals[N_REFUSALS] = { "auth", "busy", "rate", "role" };
const int counters_codes[N_CODES] = { 200, 202, 301, 304, 307, 400, 401, 403, 404, 405, 408,
				      409, 413, 415, 417, 429, 431, 500, 501, 503, 505, 507 };

void counters_init(struct counters *c)
{
	for (int i = 0; i < N_PUSH_METHODS; i++) {
		quantiles_init(&c->push_seconds[i]);
		quantiles_init(&c->push_bytes[i]);
	}
	for (int i = 0; i < N_PUSH_ODDITIES; i++)
		job_counts_init(&c->oddities[i]);
	job_counts_init(&c->lint);
}

void counters_done(struct counters *c)
{
	for (int i = 0; i < N_PUSH_METHODS; i++) {
		quantiles_done(&c->push_seconds[i]);
		quantiles_done(&c->push_bytes[i]);
	}
	for (int i = 0; i < N_PUSH_ODDITIES; i++)
		job_counts_done(&c->oddities[i]);
	job_counts_done(&c->lint);
}

void counters_request(struct counters *c, enum handler handler, enum http_method method, int status)
{
	for (int i = 0; i < N_CODES; i++)
		if (counters_codes[i] == status)
			c->requests[handler][method][i]++;
}
