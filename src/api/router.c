/* Which endpoint a request is for: paths and methods of the Go gateway (behaviour 2.2 to 2.4). */
#include <stdio.h>

#include "api/api.h"
#include "base/log.h"
#include "base/mem.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"

enum { ROOM_FOR_PATH = 16 * 1024 * 1024 };

void api_reply_text(struct http_request *req, int status, struct str text)
{
	http_reply_add(req, text);
	http_reply(req, status, TEXT_PLAIN);
}

void api_reply_error(struct http_request *req, int status, const char *msg)
{
	http_reply_header(req, "X-Content-Type-Options", "nosniff");
	/* A queue that is full now has room in a moment. */
	if (status == 503)
		http_reply_header(req, "Retry-After", "1");
	http_reply_add(req, str_of(msg));
	http_reply_add(req, STR("\n"));
	http_reply(req, status, TEXT_PLAIN);
}

static void healthy(struct api_worker *w, struct http_request *req)
{
	(void)w;
	api_reply_text(req, 200, STR("OK"));
}

typedef void (*endpoint_fn)(struct api_worker *w, struct http_request *req);

static const struct route {
	struct str path;
	endpoint_fn get;
	int handler; /* enum handler, or -1: not counted */
} routes[] = {
	{ { "/metrics", 8 }, api_scrape, -1 },
	{ { "/-/healthy", 10 }, healthy, HANDLER_HEALTHY },
	{ { "/-/ready", 8 }, healthy, HANDLER_READY },
	{ { "/api/v1/status", 14 }, api_status, HANDLER_STATUS },
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

static void get_route(struct api_worker *w, struct http_request *req, const struct route *r)
{
	bool api = str_has_prefix(r->path, STR("/api/v1/"));

	if (http_request_method(req) == HTTP_OPTIONS && api) {
		add_cors(req);
		http_reply(req, 200, NULL);
		return;
	}
	if (http_request_method(req) != HTTP_GET) {
		method_not_allowed(req, "GET, OPTIONS");
		return;
	}
	if (r->handler >= 0)
		counters_request(&w->api->counters, (enum handler)r->handler, HTTP_GET, 200);
	if (api)
		add_cors(req);
	r->get(w, req);
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

/* The query came as it is. */
static void add_html(struct strbuf *out, struct str s)
{
	static const char *const entities[256] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&#34;", ['\''] = "&#39;",
	};

	for (size_t i = 0; i < s.n; i++) {
		const char *entity = entities[(unsigned char)s.p[i]];

		if (entity)
			strbuf_addz(out, entity);
		else
			strbuf_addc(out, s.p[i]);
	}
}

static void redirect(struct http_request *req, struct str path, struct str query)
{
	CLEANUP(strbuf_done) struct strbuf location = { 0 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	path_escape(path, &location);
	if (query.n) {
		strbuf_addc(&location, '?');
		strbuf_adds(&location, query);
	}
	http_reply_header(req, "Location", strbuf_z(&location));
	if (http_request_method(req) != HTTP_GET) {
		http_reply(req, 301, NULL);
		return;
	}
	strbuf_addz(&body, "<a href=\"");
	add_html(&body, strbuf_str(&location));
	strbuf_addz(&body, "\">Moved Permanently</a>.\n\n");
	http_reply_add(req, strbuf_str(&body));
	http_reply(req, 301, "text/html; charset=utf-8");
}

static void route(struct api_worker *w, struct http_request *req, const struct path *path)
{
	struct str key_path;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (str_eq(routes[i].path, path->decoded)) {
			get_route(w, req, &routes[i]);
			return;
		}
	if (is_push_path(path->decoded, &key_path))
		push_route(w, req, key_path);
	else if (str_eq(path->decoded, STR("*")) && http_request_method(req) == HTTP_OPTIONS)
		http_reply(req, 200, NULL);
	else
		api_reply_error(req, 404, "404 page not found");
}

static void handle(void *state, struct http_request *req)
{
	struct api_worker *w = state;
	struct path path;
	struct str cleaned;
	struct err err;

	arena_reset(&w->arena);
	if (path_decode(http_request_target(req), &w->arena, &path, &err) < 0) {
		if (str_has_prefix(http_request_target(req), STR("/metrics/job")))
			w->api->counters.rejects[REJECT_PATH]++;
		http_reply_close(req);
		api_reply_error(req, err.status, err.msg);
		return;
	}
	switch (path_clean(path.encoded, &w->arena, &cleaned)) {
	case 0:
		route(w, req, &path);
		break;
	case 1:
		redirect(req, cleaned, path.query);
		break;
	default:
		api_reply_error(req, 413, "the request's path is too long");
		break;
	}
}

static void *worker_new(void *arg, struct http_worker *http)
{
	struct api_worker *w = mem_zalloc(sizeof(*w));
	const struct config *c = ((struct api *)arg)->config;

	w->api = arg;
	w->http = http;
	/* What a body turns into: some times its size, and room for what a path takes. */
	arena_init(&w->arena, c->body_size * 24 + ROOM_FOR_PATH);
	w->builder = (struct push_builder){
		.max_series = c->series_per_push,
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
