#include "api/refusals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "api/denied_target.h"
#include "api/error_status.h"
#include "api/path.h"
#include "api/rejections.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "config/config.h"

/*
 * How many pairs of job and reason are counted in a minute. Further jobs share one entry for each
 * reason.
 */
enum { ENTRIES_MAX = 1024 };
#define MINUTE_NS INT64_C(60000000000)

struct kept_refusal {
	uint64_t subject; /* hash of the job or path, as sent; 0: of all jobs that share an entry */
	const char *reason;
	int64_t said_ns;
	uint64_t times; /* since the last log line about it */
	/* Of the newest refusal. */
	const char *msg;
	enum log_level level;
	int status;
	char method[16], why[ERR_MSG_SIZE], target[256], group[256], source[CLIENT_MAX],
		user[CLIENT_MAX];
};

struct refusals {
	pthread_mutex_t lock;
	struct kept_refusal *entries[ENTRIES_MAX];
	size_t n;
};

struct refusals *refusals_new(void)
{
	struct refusals *r = mem_zalloc(sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	return r;
}

/*
 * The number of lines is bounded here, by ENTRIES_MAX, and not by the log's own rate limit: with
 * that, lines about one job could suppress those about another.
 */
static void say(struct kept_refusal *e, int64_t now)
{
	if (log_enabled(e->level))
		log_write(e->level, __FILE__, __LINE__, e->msg, "method", e->method, "source",
			  e->source, "path", e->target, "group", e->group, "reason", e->reason,
			  LOG_NUMBER("status"), log_count((uint64_t)e->status).text,
			  LOG_NUMBER("times"), log_count(e->times).text, "err", e->why,
			  e->user[0] ? "user" : NULL, e->user, NULL);
	e->times = 0;
	e->said_ns = now;
}

/*
 * An entry whose last line is a minute old is logged if there were more refusals since, and freed
 * if there were none.
 */
static void expire(struct refusals *r, int64_t now)
{
	for (size_t i = 0; i < r->n;) {
		struct kept_refusal *e = r->entries[i];

		if (now - e->said_ns < MINUTE_NS) {
			i++;
		} else if (e->times > 0) {
			say(e, now);
			i++;
		} else {
			free(e);
			r->entries[i] = r->entries[--r->n];
		}
	}
}

void refusals_tick(struct refusals *r, int64_t now_ns)
{
	pthread_mutex_lock(&r->lock);
	expire(r, now_ns);
	pthread_mutex_unlock(&r->lock);
}

void refusals_free(struct refusals *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		if (r->entries[i]->times > 0)
			say(r->entries[i], 0);
		free(r->entries[i]);
	}
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/*
 * What a target is counted under: "job/J" for "/prefix/metrics/job/J/...", and "job@base64/J"
 * likewise; of any other target the path.
 */
static struct str subject_of(struct str target)
{
	static const char mark[] = "/metrics/job";
	const char *query = target.n ? memchr(target.p, '?', target.n) : NULL;
	const char *job;
	size_t at, end;

	if (query)
		target.n = (size_t)(query - target.p);
	job = target.n ? memmem(target.p, target.n, mark, strlen(mark)) : NULL;
	if (!job)
		return target;
	at = (size_t)(job - target.p) + strlen("/metrics/");
	for (end = at; end < target.n && target.p[end] != '/'; end++)
		;
	for (end++; end < target.n && target.p[end] != '/'; end++)
		;
	return (struct str){ target.p + at, (end < target.n ? end : target.n) - at };
}

static void copy(char *to, size_t size, struct str s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	copy_bytes(to, s.p, n);
	to[n] = '\0';
}

static struct kept_refusal *find(struct refusals *r, const char *reason, uint64_t subject)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->entries[i]->subject == subject && strcmp(r->entries[i]->reason, reason) == 0)
			return r->entries[i];
	return NULL;
}

/* NULL: all entries are in use, also those that jobs share. */
static struct kept_refusal *find_or_add(struct refusals *r, const char *reason, uint64_t subject,
					int64_t now)
{
	enum { FOR_THE_REST = 16 };
	struct kept_refusal *e = find(r, reason, subject);

	if (e)
		return e;
	if (r->n >= ENTRIES_MAX - FOR_THE_REST)
		expire(r, now);
	if (r->n >= ENTRIES_MAX - FOR_THE_REST) {
		subject = 0;
		e = find(r, reason, subject);
	}
	if (e || r->n == ENTRIES_MAX)
		return e;
	e = mem_zalloc(sizeof(*e));
	e->subject = subject;
	e->reason = reason;
	e->said_ns = now - MINUTE_NS;
	r->entries[r->n++] = e;
	return e;
}

static void note(struct refusals *r, const struct refused_request *what, int64_t now)
{
	uint64_t subject = hash_bytes(subject_of(what->target)) | 1;
	struct kept_refusal *e = find_or_add(r, what->reason, subject, now);

	if (!e)
		return;
	e->msg = what->msg;
	e->level = what->level;
	e->status = what->status;
	copy(e->method, sizeof(e->method), str_of(what->method));
	copy(e->why, sizeof(e->why), str_of(what->why));
	copy(e->target, sizeof(e->target), what->target);
	copy(e->group, sizeof(e->group), what->group);
	copy(e->source, sizeof(e->source), str_of(what->source));
	copy(e->user, sizeof(e->user), str_of(what->user ? what->user : ""));
	e->times++;
	if (now - e->said_ns >= MINUTE_NS)
		say(e, now);
}

void refusals_note(struct refusals *r, const struct refused_request *what, int64_t now_ns)
{
	pthread_mutex_lock(&r->lock);
	note(r, what, now_ns);
	pthread_mutex_unlock(&r->lock);
}

/* ---- of a request ---- */

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

/* A denied value may be in the path, and then in all that was made of it. */
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

/* Of a path that names no group it is not known which rule the body is for. */
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

/* Those of the Go gateway are word for word its own. */
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

	copy(name, sizeof(name), method);
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
