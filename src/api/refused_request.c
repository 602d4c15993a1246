/*
 * Collects what is known of a refused request, and passes it to the log, counters and the list of
 * rejections.
 */
#include <string.h>

#include "api/client.h"
#include "api/denied_target.h"
#include "api/error_status.h"
#include "api/path.h"
#include "api/refusals.h"
#include "api/rejections.h"
#include "base/clock.h"
#include "config/config.h"

static const char *method_name(enum http_method method)
{
	static const char *const names[HTTP_OTHER + 1] = { "GET",     "PUT",  "POST", "DELETE",
							   "OPTIONS", "HEAD", "other" };

	return names[method];
}

static bool is_denied(const struct refused_request *what)
{
	return what->reason == counters_rejects[REJECT_DENIED];
}

/* A denied value may be in the path, and then in every text that was made of it. */
static void show_target(const struct api *api, struct str target, struct refused_request *what)
{
	what->target = target;
	if (is_denied(what) && what->group.n == 0) {
		what->target = TARGET_NOT_SHOWN;
	} else if (target_is_denied(api, target)) {
		what->target = TARGET_NOT_SHOWN;
		what->why = "why is not shown, since it may repeat what deny_values denies";
		what->hidden = true;
		if (what->group.n > 0)
			what->group = TARGET_NOT_SHOWN;
	}
}

static void note_request(struct api_worker *w, const struct http_request *req,
			 struct refused_request what)
{
	char client[CLIENT_MAX], user[CLIENT_MAX];

	client_name(w->api, req, client);
	client_user(w->api, req, user);
	what.source = client;
	/* Without the right password, a user name is only a claim. */
	if (!what.user)
		what.user = what.status == 401 ? "" : user;
	what.method = method_name(http_request_method(req));
	refusals_note(w->api->refusals, &what, clock_mono_ns());
}

/* These statuses say that the push has to be changed, so it is shown in /api/v1/rejections. */
static bool is_for_the_pusher(int status)
{
	return status == 400 || status == 409 || status == 413 || status == 507;
}

/* Whether the body must not be shown: if the path names no group, its rule is not known. */
static bool hides_body(const struct api *api, const struct refused_request *what)
{
	return is_denied(what) || what->hidden ||
	       (what->reason == counters_rejects[REJECT_PATH] && any_value_is_denied(api));
}

static void reject(const struct api_worker *w, const struct http_request *req,
		   const struct refused_request *what)
{
	char client[CLIENT_MAX], user[CLIENT_MAX];
	const struct rejection r = {
		.at = clock_wall(),
		.status = what->status,
		.method = method_name(http_request_method(req)),
		.peer = client,
		.user = user,
		.path = what->target,
		.group = what->group,
		.why = what->why,
		.body = hides_body(w->api, what) ? STR("") : http_request_body(req),
	};

	client_name(w->api, req, client);
	client_user(w->api, req, user);
	rejections_add(w->api->rejections, &r);
}

/* Messages that the Go gateway has, too, are in its words. */
static const char *const push_messages[N_REJECTS] = {
	[REJECT_PATH] = "failed to parse URL",
	[REJECT_BODY] = "failed to parse text",
	[REJECT_INCONSISTENT] = "pushed metrics are invalid or inconsistent with existing metrics",
	[REJECT_CONFLICT] = "push refused: it conflicts with what the group is",
	[REJECT_LIMIT] = "push refused: over a limit",
	[REJECT_BUSY] = "push refused: no room for it now",
	[REJECT_STORAGE] = "push refused: the database did not take it",
	[REJECT_DENIED] = "push refused: it has what a rule denies",
	[REJECT_LINT] = "push refused: its names break Prometheus's rules",
	[REJECT_RULE_LIMIT] = "push refused: over a limit of its group's rule",
};

void refusals_push(struct api_worker *w, const struct http_request *req, enum reject why,
		   struct str group, const struct err *err)
{
	struct refused_request what = {
		.reason = counters_rejects[why],
		.msg = push_messages[why],
		.level = why == REJECT_INCONSISTENT ? LOG_ERROR : LOG_WARN,
		.status = error_status(err),
		.why = err->msg,
		.group = group,
	};

	show_target(w->api, http_request_target(req), &what);
	note_request(w, req, what);
	if (is_for_the_pusher(what.status))
		reject(w, req, &what);
}

void refusals_warning(struct api_worker *w, struct http_request *req, const char *name,
		      struct str group, const char *why)
{
	struct refused_request what = {
		.reason = name,
		.msg = "push taken, but look at it",
		.level = LOG_WARN,
		.status = 200,
		.why = why,
		.group = group,
	};

	show_target(w->api, http_request_target(req), &what);
	note_request(w, req, what);
}

void refusals_request(struct api_worker *w, const struct http_request *req, enum refusal why,
		      int status, const char *msg)
{
	struct refused_request what = {
		.reason = counters_refusals[why],
		.msg = why == REFUSED_ROLE ? "request refused by access: of --config.file"
					   : "request refused by --web.config.file",
		.level = LOG_WARN,
		.status = status,
		.why = msg,
		.group = STR(""),
		/*
		 * Only `access:` refuses after the password was checked; before that the user is
		 * not known.
		 */
		.user = why == REFUSED_ROLE ? NULL : "",
	};

	show_target(w->api, http_request_target(req), &what);
	note_request(w, req, what);
}

/* Takes the first word of a request line, of which the end may be missing, off the front. */
static struct str take_word(struct str *line)
{
	const char *blank = line->n ? memchr(line->p, ' ', line->n) : NULL;
	struct str word = { line->p, blank ? (size_t)(blank - line->p) : line->n };
	size_t n = word.n + (blank != NULL);

	*line = (struct str){ line->p + n, line->n - n };
	return word;
}

static bool is_below(struct str target, struct str prefix)
{
	if (!str_has_prefix(target, prefix))
		return false;
	target = (struct str){ target.p + prefix.n, target.n - prefix.n };
	path_take_mode(&target);
	return str_has_prefix(target, STR("/metrics/job"));
}

void refusals_http(void *worker, const struct http_refused *refused)
{
	struct api_worker *w = worker;
	struct str line = refused->request_line, method = take_word(&line);
	struct str target = take_word(&line), prefix = str_of(w->api->config->web_route_prefix);
	bool push = (str_eq(method, STR("PUT")) || str_eq(method, STR("POST"))) &&
		    is_below(target, prefix);
	bool large = push && refused->status == 413;
	char name[16];
	struct refused_request what = {
		.reason = refused->status == 413   ? "limit"
			  : refused->status == 503 ? "busy"
						   : "http",
		.msg = large ? push_messages[REJECT_LIMIT] : "request refused",
		.level = LOG_WARN,
		.status = refused->status,
		.why = refused->why,
		.method = name,
		.source = refused->peer,
	};

	str_copy_z(method, name, sizeof(name));
	show_target(w->api, target, &what);
	counters_request(&w->api->counters, HANDLER_REFUSED, refused->method, refused->status);
	refusals_note(w->api->refusals, &what, clock_mono_ns());
	if (!large)
		return;
	w->api->counters.rejects[REJECT_LIMIT]++;
	rejections_add(w->api->rejections, &(struct rejection){ .at = clock_wall(),
								.status = what.status,
								.method = name,
								.peer = refused->peer,
								.user = "",
								.path = what.target,
								.why = what.why });
}
