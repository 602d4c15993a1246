/*
 * The functions that the HTTP server calls for each request, and the decision whether to admit it.
 */
#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "api/api.h"
#include "api/caller.h"
#include "api/endpoints.h"
#include "api/fresh.h"
#include "api/path.h"
#include "api/permission.h"
#include "api/refusals.h"
#include "api/router.h"
#include "base/mem.h"
#include "config/config.h"

static bool is_probe(void *state, const struct http_request *req);

/* Whether the request is for own metrics only, which is answered even if the database is away. */
static bool asks_for_own(const struct api_worker *w, const struct http_request *req)
{
	struct str target = http_request_target(req);
	size_t n = strlen(w->api->config->telemetry_path);

	return target.n > n && target.p[n] == '?' &&
	       memcmp(target.p, w->api->config->telemetry_path, n) == 0 &&
	       memmem(target.p + n, target.n - n, "own=only", 8);
}

static void handle(void *state, struct http_request *req)
{
	struct api_worker *w = state;

	if (!w->api->ready || !request_reads(req) || is_probe(w, req) || asks_for_own(w, req) ||
	    fresh_wait(w, req, api_route) == FRESH_NOW)
		api_route(w, req);
}

/* NULL: the request is neither a push, nor its dry run, nor another one that reads its body. */
static const struct endpoint *reads_body(struct api_worker *w, const struct http_request *req)
{
	enum http_method method = http_request_method(req);
	struct str prefix = route_prefix(w);
	const struct endpoint *e;
	struct path path;
	struct err err;

	if (method != HTTP_PUT && method != HTTP_POST)
		return NULL;
	arena_reset(&w->reader.arena);
	if (path_decode(http_request_target(req), &w->reader.arena, &path, &err) < 0 ||
	    !str_has_prefix(path.decoded, prefix))
		return NULL;
	path.decoded.p += prefix.n;
	path.decoded.n -= prefix.n;
	e = endpoint_find(path.decoded, false, false);
	if (e)
		return e->reads_body && method == HTTP_POST ? e : NULL;
	return route_endpoint_of_group(w, path.decoded);
}

/*
 * Before a large body is read: a request that does not need it is answered, and so is a push to a
 * bad path or one that will be refused whatever it holds. A small body is always read, since
 * deciding twice would cost more.
 */
static void let_in(struct api_worker *w, struct http_request *req)
{
	enum { SMALL = 64 * 1024 };

	/*
	 * As in the Go gateway, an unreadable coding is refused before an unknown path, so the body
	 * is needed.
	 */
	bool coded = http_request_header(req, "Content-Encoding").p != NULL;
	bool small = http_request_announced(req) <= SMALL;
	const struct endpoint *e = small ? NULL : reads_body(w, req);

	caller_identify(req);
	if (!small && !e && !coded)
		handle(w, req);
	else if (e && permission_refuse(w, req, e, e->post.action))
		return;
	else if (!e || !e->of_group || !api_group_refuse_early(w, req, e == &endpoint_dry_run))
		http_request_admit(req);
}

/* Finds out who sends a request, and whether it is allowed, before its body is read. */
static void admit(void *state, struct http_request *req)
{
	struct api_worker *w = state;

	caller_begin(w, req);
	if (w->api->admission)
		admission_pass(w->api->admission, w, req, let_in);
	else if (!admission_refuse_credentials(w, req))
		let_in(w, req);
}

/*
 * Probes are answered beyond the limit of connections, too: a flood of connections must not look
 * like a gateway that has died.
 */
static bool is_probe(void *state, const struct http_request *req)
{
	struct api_worker *w = state;
	enum http_method method = http_request_method(req);
	struct str target = http_request_target(req), prefix = route_prefix(w);
	const char *query = memchr(target.p, '?', target.n);

	if (query)
		target.n = (size_t)(query - target.p);
	if ((method != HTTP_GET && method != HTTP_HEAD) || !str_has_prefix(target, prefix))
		return false;
	target = (struct str){ target.p + prefix.n, target.n - prefix.n };
	return str_eq(target, STR("/-/healthy")) || str_eq(target, STR("/-/ready"));
}

static void *worker_new(void *arg, struct http_worker *http)
{
	struct api_worker *w = mem_zalloc(sizeof(*w));

	w->api = arg;
	w->http = http;
	push_reader_init(&w->reader, w->api->config, w->api->rules);
	return w;
}

static void worker_free(void *state)
{
	struct api_worker *w = state;

	push_reader_done(&w->reader);
	free(w);
}

static void answered(void *state, const struct http_request *req, unsigned tag, int status)
{
	struct api_worker *w = state;

	counters_request(&w->api->counters, (enum handler)(tag - 1), http_request_method(req),
			 status);
}

const struct http_handler api_handler = {
	.worker_new = worker_new,
	.worker_free = worker_free,
	.admit = admit,
	.always = is_probe,
	.handle = handle,
	.answered = answered,
	.refused = refusals_http,
};
