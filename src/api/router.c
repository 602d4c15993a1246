/* Which endpoint a request is for: paths, methods and redirects of the Go gateway. */
#include <string.h>

#include "api/admission.h"
#include "api/api.h"
#include "api/caller.h"
#include "api/endpoints.h"
#include "api/error_status.h"
#include "api/fresh.h"
#include "api/path.h"
#include "api/permission.h"
#include "api/redirect.h"
#include "api/refusals.h"
#include "api/reply.h"
#include "api/same_site.h"
#include "api/v1_reply.h"
#include "base/mem.h"
#include "codec/decompress.h"
#include "config/config.h"

static struct str prefix_of(const struct api_worker *w)
{
	return str_of(w->api->config->web_route_prefix);
}

static bool reads(const struct http_request *req)
{
	enum http_method method = http_request_method(req);

	return method == HTTP_GET || method == HTTP_HEAD;
}

/* Refuses a request that no endpoint gets. */
static void refuse(struct http_request *req, int status, const char *msg)
{
	api_count_as(req, HANDLER_REFUSED);
	api_reply_error(req, status, msg);
}

static void method_not_allowed(struct http_request *req, const char *allow)
{
	http_reply_header(req, "Allow", allow);
	if (http_request_method(req) == HTTP_OPTIONS)
		http_reply(req, 200, NULL);
	else
		refuse(req, 405, "Method Not Allowed");
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

static bool has_admin_api(const struct api_worker *w)
{
	return w->api->config->web_enable_admin_api;
}

/* Until the database is loaded there are no groups, so pushes and scrapes are refused. */
static bool refuse_until_ready(struct api_worker *w, struct http_request *req,
			       const struct endpoint *e, enum action action)
{
	struct err err;

	if (w->api->ready || action == ACTION_PROBE)
		return false;
	err_set(&err, ERR_BUSY, 0, "the gateway is starting: its database is being loaded");
	if ((action == ACTION_PUSH || action == ACTION_DELETE) && e != &endpoint_dry_run) {
		w->api->counters.rejects[REJECT_BUSY]++;
		refusals_push(w, req, REJECT_BUSY, STR(""), &err);
	}
	refuse(req, error_status(&err), err.msg);
	return true;
}

/*
 * Refuses requests that change something and come from a page of another site. All of them pass
 * here.
 */
static bool refuse_other_site(struct api_worker *w, struct http_request *req,
			      const struct endpoint *e)
{
	struct err err;

	if (reads(req) || same_site_allows(w->api, req, &err))
		return false;
	if (e->ours)
		v1_reply_error(w, req, &err);
	else
		refuse(req, error_status(&err), err.msg);
	return true;
}

/*
 * The endpoint of a path below the route prefix that names a group, which w->push_path then is.
 * NULL: it names none.
 */
static const struct endpoint *endpoint_of_group(struct api_worker *w, struct str path)
{
	bool dry_run = path_take_dry_run(&path);

	if (!push_path_parse(path, &w->push_path))
		return NULL;
	return dry_run ? &endpoint_dry_run : &endpoint_group;
}

static void call_endpoint(struct api_worker *w, struct http_request *req, const struct endpoint *e)
{
	enum http_method method = http_request_method(req);
	const struct endpoint_call *call = endpoint_call(e, method);

	if (!call->fn) {
		method_not_allowed(req, e->allow);
		return;
	}
	if (permission_refuse(w, req, e, call->action) ||
	    refuse_until_ready(w, req, e, call->action) || refuse_other_site(w, req, e))
		return;
	if (call->action == ACTION_SCRAPE)
		api_lint_refresh(w->api);
	if (e->handler != HANDLER_NONE)
		api_count_as(req, e->handler);
	if (e->below_api && !e->for_admins && !e->ours)
		add_cors(req);
	call->fn(w, req);
}

/*
 * The Go gateway begins to decompress before it looks for the endpoint, so an unreadable body is
 * refused before an unknown path.
 */
static bool refuse_coding(struct api_worker *w, struct http_request *req, struct str path)
{
	enum content_coding coding = content_coding_of(
		http_request_header(req, "Content-Encoding"));
	struct push_path push;
	struct err err;

	if (str_has_prefix(path, STR("/api/v1/")) ||
	    decompress_check_start(coding, http_request_body(req), &err) == 0)
		return false;
	if (push_path_parse(path, &push)) {
		w->api->counters.rejects[REJECT_BODY]++;
		refusals_push(w, req, REJECT_BODY, STR(""), &err);
	}
	refuse(req, error_status(&err), err.msg);
	return true;
}

/*
 * No route has exactly this path: redirects to one that differs only by a trailing slash, by case,
 * or by what cleaning removes. The Go gateway's redirects below /api/v1 lose that prefix, and so do
 * these.
 */
static bool redirect_to_route(struct api_worker *w, struct http_request *req, struct str path,
			      struct str query)
{
	enum http_method method = http_request_method(req);
	int status = reads(req) ? 301 : 307;
	const struct str api = STR("/api/v1");
	struct push_path push;
	struct str cleaned;
	const struct endpoint *e;

	if (path_clean(path, &w->reader.arena, &cleaned) < 0)
		return false;
	if (cleaned.n > 1 && cleaned.p[cleaned.n - 1] == '/')
		cleaned.n--;
	e = endpoint_find(cleaned, true, has_admin_api(w));
	if (e && endpoint_call(e, method)->fn &&
	    (!e->below_api || str_has_prefix(path, STR("/api/v1/")))) {
		struct str to = e->path;

		bool cut = e->below_api && !e->ours;

		if (cut)
			to = (struct str){ to.p + api.n, to.n - api.n };
		redirect(req, status, cut ? STR_NULL : prefix_of(w), to, query);
		return true;
	}
	if (method != HTTP_PUT && method != HTTP_POST && method != HTTP_DELETE)
		return false;
	/* Case matters in the values of labels, so only this part is compared without it. */
	if (str_eq_nocase(cleaned, STR("/metrics/job")) && !str_eq(path, STR("/metrics/job"))) {
		redirect(req, status, prefix_of(w), STR("/metrics/job"), query);
		return true;
	}
	if (cleaned.n < 13 || !str_eq_nocase((struct str){ cleaned.p, 12 }, STR("/metrics/job")))
		return false;
	struct str fixed = arena_dup(&w->reader.arena, path);

	if (!fixed.p)
		return false;
	memcpy((char *)fixed.p, "/metrics/job", 12);
	if (str_eq(fixed, path) || !push_path_parse(fixed, &push))
		return false;
	redirect(req, status, prefix_of(w), fixed, query);
	return true;
}

/* A path below the route prefix. */
static void route_below(struct api_worker *w, struct http_request *req, struct str path,
			struct str query)
{
	const struct endpoint *e = endpoint_find(path, false, has_admin_api(w));
	const struct endpoint *of_group;
	bool api = str_has_prefix(path, STR("/api/v1/"));

	if (str_eq(path, STR("/api/v1"))) {
		redirect(req, 301, prefix_of(w), STR("/api/v1/"), query);
	} else if (api && http_request_method(req) == HTTP_OPTIONS && !(e && e->ours)) {
		api_count_as(req, HANDLER_API_OPTIONS);
		add_cors(req);
		http_reply(req, 200, NULL);
	} else if (e) {
		call_endpoint(w, req, e);
	} else if ((of_group = endpoint_of_group(w, path))) {
		call_endpoint(w, req, of_group);
	} else if (!redirect_to_route(w, req, path, query)) {
		refuse(req, 404, "404 page not found");
	}
}

static void route(struct api_worker *w, struct http_request *req, const struct path *path)
{
	struct str prefix = prefix_of(w), below = path->decoded;
	struct str telemetry = str_of(w->api->config->telemetry_path), cleaned;

	w->query = path->query;
	if (refuse_coding(w, req, path->decoded))
		return;
	if (str_eq(below, STR("*"))) {
		http_reply(req, http_request_method(req) == HTTP_OPTIONS ? 200 : 400, NULL);
		return;
	}
	if (str_eq(below, telemetry)) {
		call_endpoint(w, req, &endpoint_scrape);
		return;
	}
	if (reads(req) && path_clean(below, &w->reader.arena, &cleaned) >= 0 &&
	    redirect_is_nearly(cleaned, telemetry)) {
		redirect(req, 301, STR_NULL, telemetry, path->query);
		return;
	}
	/* The Go gateway serves this path also without the prefix, with an answer that says no. */
	if (prefix.n && str_eq(below, STR("/-/quit")) && reads(req)) {
		api_quit_get(w, req);
		return;
	}
	if (!str_has_prefix(below, prefix) || (below.n > prefix.n && below.p[prefix.n] != '/')) {
		refuse(req, 404, "404 page not found");
		return;
	}
	below = (struct str){ below.p + prefix.n, below.n - prefix.n };
	if (below.n == 0)
		redirect(req, reads(req) ? 301 : 307, prefix, STR("/"), path->query);
	else
		route_below(w, req, below, path->query);
}

static void handle_now(struct api_worker *w, struct http_request *req)
{
	struct path path;
	struct str cleaned;
	struct err err;

	arena_reset(&w->reader.arena);
	if (path_decode(http_request_target(req), &w->reader.arena, &path, &err) < 0) {
		struct str target = http_request_target(req);

		path_take_mode(&target);
		if (str_has_prefix(target, STR("/metrics/job"))) {
			w->api->counters.rejects[REJECT_PATH]++;
			refusals_push(w, req, REJECT_PATH, STR(""), &err);
		}
		http_reply_close(req);
		refuse(req, error_status(&err), err.msg);
		return;
	}
	switch (path_clean(path.encoded, &w->reader.arena, &cleaned)) {
	case 0:
		route(w, req, &path);
		break;
	case 1:
		redirect(req, 301, STR_NULL, cleaned, path.query);
		break;
	default:
		refuse(req, 413, "the request's path is too long");
		break;
	}
}

static bool is_probe(void *state, const struct http_request *req);

/* It says most when the database is away. */
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

	if (!w->api->ready || !reads(req) || is_probe(w, req) || asks_for_own(w, req) ||
	    fresh_wait(w, req, handle_now) == FRESH_NOW)
		handle_now(w, req);
}

/* NULL: the request is neither a push, nor its dry run, nor another one that reads its body. */
static const struct endpoint *reads_body(struct api_worker *w, const struct http_request *req)
{
	enum http_method method = http_request_method(req);
	struct str prefix = prefix_of(w);
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
	return endpoint_of_group(w, path.decoded);
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

/* Who sends a request and whether they may is decided before its body is read. */
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
	struct str target = http_request_target(req), prefix = prefix_of(w);
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
