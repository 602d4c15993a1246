/* Which endpoint a request is for: paths, methods and redirects of the Go gateway. */
#include <string.h>

#include "api/api.h"
#include "api/endpoints.h"
#include "api/error_status.h"
#include "api/path.h"
#include "api/permission.h"
#include "api/redirect.h"
#include "api/refusals.h"
#include "api/reply.h"
#include "api/router.h"
#include "api/same_site.h"
#include "api/v1_reply.h"
#include "codec/decompress.h"
#include "config/config.h"

struct str route_prefix(const struct api_worker *w)
{
	return str_of(w->api->config->web_route_prefix);
}

bool request_reads(const struct http_request *req)
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

	if (request_reads(req) || same_site_allows(w->api, req, &err))
		return false;
	if (e->ours)
		v1_reply_error(w, req, &err);
	else
		refuse(req, error_status(&err), err.msg);
	return true;
}

const struct endpoint *route_endpoint_of_group(struct api_worker *w, struct str path)
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
	int status = request_reads(req) ? 301 : 307;
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
		redirect(req, status, cut ? STR_NULL : route_prefix(w), to, query);
		return true;
	}
	if (method != HTTP_PUT && method != HTTP_POST && method != HTTP_DELETE)
		return false;
	/* Case matters in the values of labels, so only this part is compared without it. */
	if (str_eq_nocase(cleaned, STR("/metrics/job")) && !str_eq(path, STR("/metrics/job"))) {
		redirect(req, status, route_prefix(w), STR("/metrics/job"), query);
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
	redirect(req, status, route_prefix(w), fixed, query);
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
		redirect(req, 301, route_prefix(w), STR("/api/v1/"), query);
	} else if (api && http_request_method(req) == HTTP_OPTIONS && !(e && e->ours)) {
		api_count_as(req, HANDLER_API_OPTIONS);
		add_cors(req);
		http_reply(req, 200, NULL);
	} else if (e) {
		call_endpoint(w, req, e);
	} else if ((of_group = route_endpoint_of_group(w, path))) {
		call_endpoint(w, req, of_group);
	} else if (!redirect_to_route(w, req, path, query)) {
		refuse(req, 404, "404 page not found");
	}
}

static void route(struct api_worker *w, struct http_request *req, const struct path *path)
{
	struct str prefix = route_prefix(w), below = path->decoded;
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
	if (request_reads(req) && path_clean(below, &w->reader.arena, &cleaned) >= 0 &&
	    redirect_is_nearly(cleaned, telemetry)) {
		redirect(req, 301, STR_NULL, telemetry, path->query);
		return;
	}
	/* The Go gateway serves this path also without the prefix, with an answer that says no. */
	if (prefix.n && str_eq(below, STR("/-/quit")) && request_reads(req)) {
		api_quit_get(w, req);
		return;
	}
	if (!str_has_prefix(below, prefix) || (below.n > prefix.n && below.p[prefix.n] != '/')) {
		refuse(req, 404, "404 page not found");
		return;
	}
	below = (struct str){ below.p + prefix.n, below.n - prefix.n };
	if (below.n == 0)
		redirect(req, request_reads(req) ? 301 : 307, prefix, STR("/"), path->query);
	else
		route_below(w, req, below, path->query);
}

void api_route(struct api_worker *w, struct http_request *req)
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
