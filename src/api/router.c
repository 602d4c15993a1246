/* Which endpoint a request is for: paths and methods of the Go gateway (behaviour 2.2 to 2.4). */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/admission.h"
#include "api/api.h"
#include "api/error_status.h"
#include "api/page_files.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/decompress.h"

enum { ROOM_FOR_PATH = 16 * 1024 * 1024 };

static void healthy(struct api_worker *w, struct http_request *req)
{
	(void)w;
	api_reply_text(req, 200, STR("OK"));
}

static const struct str healthy_path = { "/-/healthy", 10 };

/* While the database is being loaded there is nothing to push into and nothing to show. */
static bool refuse_until_ready(struct api_worker *w, struct http_request *req, struct str path)
{
	if (w->api->ready || str_eq(path, healthy_path))
		return false;
	api_reply_error(req, 503, "the gateway is starting: its database is being loaded");
	return true;
}

static void ready(struct api_worker *w, struct http_request *req)
{
	healthy(w, req);
}

/* The answers of /-/quit have neither nosniff nor a trailing LF in the Go gateway. */
static void quit_get(struct api_worker *w, struct http_request *req)
{
	(void)w;
	api_reply_text(req, 405, STR("Only POST or PUT requests allowed."));
}

static void quit(struct api_worker *w, struct http_request *req)
{
	if (!w->api->config->web_enable_lifecycle) {
		api_reply_text(req, 403, STR("Lifecycle API is not enabled."));
		return;
	}
	w->api->quit_asked = true;
	http_reply_close(req);
	api_reply_text(req, 200, STR("Requesting termination... Goodbye!"));
	/* main waits for it, and lets this answer out first. */
	kill(getpid(), SIGTERM);
}

typedef void (*endpoint_fn)(struct api_worker *w, struct http_request *req);

/* Exact paths below the route prefix. A method without a function is a 405. */
static const struct route {
	struct str path;
	enum handler handler;
	endpoint_fn get, put, post;
	const char *allow;
	bool api, admin;
} routes[] = {
	{ { "/", 1 }, HANDLER_STATUS, api_page, NULL, NULL, "GET, OPTIONS", false, false },
	{ { "/status", 7 }, HANDLER_STATUS, api_page, NULL, NULL, "GET, OPTIONS", false, false },
	{ { "/static/page.css", 16 },
	  HANDLER_STATIC,
	  api_page_css,
	  NULL,
	  NULL,
	  "GET, OPTIONS",
	  false,
	  false },
	{ { "/static/page.js", 15 },
	  HANDLER_STATIC,
	  api_page_js,
	  NULL,
	  NULL,
	  "GET, OPTIONS",
	  false,
	  false },
	{ { "/-/healthy", 10 },
	  HANDLER_HEALTHY,
	  healthy,
	  NULL,
	  NULL,
	  "GET, OPTIONS",
	  false,
	  false },
	{ { "/-/ready", 8 }, HANDLER_READY, ready, NULL, NULL, "GET, OPTIONS", false, false },
	{ { "/-/quit", 7 },
	  HANDLER_NONE,
	  quit_get,
	  quit,
	  quit,
	  "GET, OPTIONS, POST, PUT",
	  false,
	  false },
	{ { "/api/v1/status", 14 },
	  HANDLER_API_STATUS,
	  api_status,
	  NULL,
	  NULL,
	  "GET, OPTIONS",
	  true,
	  false },
	{ { "/api/v1/metrics", 15 },
	  HANDLER_API_METRICS,
	  api_metrics,
	  NULL,
	  NULL,
	  "GET, OPTIONS",
	  true,
	  false },
	{ { "/api/v1/admin/wipe", 18 },
	  HANDLER_WIPE,
	  NULL,
	  api_wipe,
	  NULL,
	  "OPTIONS, PUT",
	  true,
	  true },
};

static void method_not_allowed(struct http_request *req, const char *allow)
{
	http_reply_header(req, "Allow", allow);
	if (http_request_method(req) == HTTP_OPTIONS)
		http_reply(req, 200, NULL);
	else
		api_reply_error(req, 405, "Method Not Allowed");
}

static void add_cors(struct http_request *req)
{
	http_reply_header(req, "Access-Control-Allow-Headers",
			  "Accept, Authorization, Content-Type, Origin");
	http_reply_header(req, "Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
	http_reply_header(req, "Access-Control-Allow-Origin", "*");
	http_reply_header(req, "Access-Control-Expose-Headers", "Date");
	http_reply_header(req, "Cache-Control", "no-cache, no-store, must-revalidate");
}

static endpoint_fn endpoint_of(const struct route *r, enum http_method method)
{
	return method == HTTP_GET    ? r->get
	       : method == HTTP_PUT  ? r->put
	       : method == HTTP_POST ? r->post
				     : NULL;
}

static void take_route(struct api_worker *w, struct http_request *req, const struct route *r)
{
	enum http_method method = http_request_method(req);
	endpoint_fn fn = endpoint_of(r, method);

	if (!fn) {
		method_not_allowed(req, r->allow);
		return;
	}
	/* The wipe says itself how it ended, and carries none of these headers. */
	if (r->handler != HANDLER_NONE && !r->admin)
		counters_request(&w->api->counters, r->handler, method, 200);
	if (r->api && !r->admin)
		add_cors(req);
	fn(w, req);
}

static const struct route *find_route(struct api_worker *w, struct str path, bool any_case)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const struct route *r = &routes[i];

		if (r->admin && !w->api->config->web_enable_admin_api)
			continue;
		if (any_case ? str_eq_nocase(r->path, path) : str_eq(r->path, path))
			return r;
	}
	return NULL;
}

/* "/metrics/job/J..." or "/metrics/job@base64/J...": the part after "/metrics/job". */
static bool is_push_path(struct str path, struct str *ret_key_path)
{
	const struct str prefix = STR("/metrics/job");

	if (!str_has_prefix(path, prefix))
		return false;
	*ret_key_path = (struct str){ path.p + prefix.n, path.n - prefix.n };
	/* There has to be a job, or at least the slash of an empty one with labels after it. */
	return (str_has_prefix(*ret_key_path, STR("/")) && ret_key_path->n > 1) ||
	       (str_has_prefix(*ret_key_path, STR("@base64/")) && ret_key_path->n > 8);
}

static void push_route(struct api_worker *w, struct http_request *req, struct str key_path)
{
	switch (http_request_method(req)) {
	case HTTP_PUT:
	case HTTP_POST:
	case HTTP_DELETE:
		api_push(w, req, key_path);
		return;
	default:
		method_not_allowed(req, "DELETE, OPTIONS, POST, PUT");
		return;
	}
}

/* The Go gateway begins to read a compressed body before it knows what the request is for. */
static bool refuse_coding(struct api_worker *w, struct http_request *req, struct str path)
{
	enum content_coding coding = content_coding_of(
		http_request_header(req, "Content-Encoding"));
	struct str key_path;
	struct err err;

	if (str_has_prefix(path, STR("/api/v1/")) ||
	    decompress_check_start(coding, http_request_body(req), &err) == 0)
		return false;
	if (is_push_path(path, &key_path))
		w->api->counters.rejects[REJECT_BODY]++;
	api_reply_error(req, error_status(&err), err.msg);
	return true;
}

/*
 * No route has this very path: one that differs by a trailing slash, by case or by what cleaning
 * would remove is meant (behaviour 2.4, layer 2). Below /api/v1 the Go gateway forgets the prefix.
 */
static bool redirect_to_route(struct api_worker *w, struct http_request *req, struct str path,
			      struct str query)
{
	enum http_method method = http_request_method(req);
	int status = method == HTTP_GET ? 301 : 307;
	const struct str api = STR("/api/v1");
	struct str cleaned, key_path;
	const struct route *r;

	if (path_clean(path, &w->arena, &cleaned) < 0)
		return false;
	if (cleaned.n > 1 && cleaned.p[cleaned.n - 1] == '/')
		cleaned.n--;
	r = find_route(w, cleaned, true);
	if (r && endpoint_of(r, method) && (!r->api || str_has_prefix(path, STR("/api/v1/")))) {
		struct str to = r->path;

		if (r->api)
			to = (struct str){ to.p + api.n, to.n - api.n };
		api_redirect(w, req, status, r->api ? STR_NULL : api_prefix(w), to, query);
		return true;
	}
	if (method != HTTP_PUT && method != HTTP_POST && method != HTTP_DELETE)
		return false;
	/* The values keep their case. */
	if (str_eq_nocase(cleaned, STR("/metrics/job")) && !str_eq(path, STR("/metrics/job"))) {
		api_redirect(w, req, status, api_prefix(w), STR("/metrics/job"), query);
		return true;
	}
	if (cleaned.n < 13 || !str_eq_nocase((struct str){ cleaned.p, 12 }, STR("/metrics/job")))
		return false;
	struct str fixed = arena_dup(&w->arena, path);

	if (!fixed.p)
		return false;
	memcpy((char *)fixed.p, "/metrics/job", 12);
	if (str_eq(fixed, path) || !is_push_path(fixed, &key_path))
		return false;
	api_redirect(w, req, status, api_prefix(w), fixed, query);
	return true;
}

/* A path below the route prefix. */
static void route_below(struct api_worker *w, struct http_request *req, struct str path,
			struct str query)
{
	const struct route *r = find_route(w, path, false);
	bool api = str_has_prefix(path, STR("/api/v1/"));
	struct str key_path;

	if (str_eq(path, STR("/api/v1"))) {
		api_redirect(w, req, 301, api_prefix(w), STR("/api/v1/"), query);
	} else if (api && http_request_method(req) == HTTP_OPTIONS) {
		counters_request(&w->api->counters, HANDLER_API_OPTIONS, HTTP_OPTIONS, 200);
		add_cors(req);
		http_reply(req, 200, NULL);
	} else if (r) {
		take_route(w, req, r);
	} else if (is_push_path(path, &key_path)) {
		push_route(w, req, key_path);
	} else if (!redirect_to_route(w, req, path, query)) {
		api_reply_error(req, 404, "404 page not found");
	}
}

struct str api_prefix(const struct api_worker *w)
{
	return str_of(w->api->config->web_route_prefix);
}

static void route(struct api_worker *w, struct http_request *req, const struct path *path)
{
	struct str prefix = api_prefix(w), below = path->decoded;
	struct str telemetry = str_of(w->api->config->telemetry_path), cleaned;

	if (refuse_coding(w, req, path->decoded))
		return;
	if (str_eq(below, STR("*"))) {
		http_reply(req, http_request_method(req) == HTTP_OPTIONS ? 200 : 400, NULL);
		return;
	}
	if (str_eq(below, telemetry)) {
		if (http_request_method(req) == HTTP_GET)
			api_scrape(w, req);
		else
			method_not_allowed(req, "GET, OPTIONS");
		return;
	}
	if (http_request_method(req) == HTTP_GET && path_clean(below, &w->arena, &cleaned) >= 0 &&
	    api_is_nearly(cleaned, telemetry)) {
		api_redirect(w, req, 301, STR_NULL, telemetry, path->query);
		return;
	}
	/* Left over from the Go gateway: reachable without the prefix, and says no. */
	if (prefix.n && str_eq(below, STR("/-/quit")) && http_request_method(req) == HTTP_GET) {
		quit_get(w, req);
		return;
	}
	if (!str_has_prefix(below, prefix) || (below.n > prefix.n && below.p[prefix.n] != '/')) {
		api_reply_error(req, 404, "404 page not found");
		return;
	}
	below = (struct str){ below.p + prefix.n, below.n - prefix.n };
	if (below.n == 0)
		api_redirect(w, req, http_request_method(req) == HTTP_GET ? 301 : 307, prefix,
			     STR("/"), path->query);
	else
		route_below(w, req, below, path->query);
}

static void handle_passed(struct api_worker *w, struct http_request *req)
{
	struct path path;
	struct str cleaned;
	struct err err;

	arena_reset(&w->arena);
	if (path_decode(http_request_target(req), &w->arena, &path, &err) < 0) {
		if (str_has_prefix(http_request_target(req), STR("/metrics/job")))
			w->api->counters.rejects[REJECT_PATH]++;
		http_reply_close(req);
		api_reply_error(req, error_status(&err), err.msg);
		return;
	}
	switch (path_clean(path.encoded, &w->arena, &cleaned)) {
	case 0:
		if (!refuse_until_ready(w, req, path.decoded))
			route(w, req, &path);
		break;
	case 1:
		api_redirect(w, req, 301, STR_NULL, cleaned, path.query);
		break;
	default:
		api_reply_error(req, 413, "the request's path is too long");
		break;
	}
}

static void handle(void *state, struct http_request *req)
{
	struct api_worker *w = state;

	if (w->api->admission)
		admission_pass(w->api->admission, w, req, handle_passed);
	else
		handle_passed(w, req);
}

/* What a push may be once it is exposition text; a page's length has 32 bits. */
static uint64_t max_text(const struct config *c)
{
	uint64_t max = c->body_size * 8;

	return max < ROOM_FOR_PATH ? ROOM_FOR_PATH : max > INT32_MAX ? INT32_MAX : max;
}

static void *worker_new(void *arg, struct http_worker *http)
{
	struct api_worker *w = mem_zalloc(sizeof(*w));
	const struct config *c = ((struct api *)arg)->config;

	w->api = arg;
	w->http = http;
	/* What a body turns into: some times its size, and room for what a path takes. */
	arena_init(&w->arena, c->body_size * 28 + ROOM_FOR_PATH);
	w->builder = (struct push_builder){
		.max_series = c->series_per_push,
		.max_text = max_text(c),
		.max_labels = (uint32_t)c->labels_per_series,
		.arena = &w->arena,
	};
	return w;
}

static void worker_free(void *state)
{
	struct api_worker *w = state;

	arena_done(&w->arena);
	push_builder_done(&w->builder);
	free(w);
}

const struct http_handler api_handler = {
	.worker_new = worker_new,
	.worker_free = worker_free,
	.handle = handle,
};
