#include "api/v1_reply.h"

#include <stdlib.h>
#include <time.h>

#include "api/error_status.h"
#include "api/reply.h"
#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "expose/background.h"

static const char json[] = "application/json";

static const char *error_type(int status)
{
	switch (status) {
	case 400:
	case 413:
		return "bad_data";
	case 403:
		return "forbidden";
	case 404:
		return "not_found";
	case 409:
		return "conflict";
	case 503:
	case 507:
		return "unavailable";
	default:
		return "internal";
	}
}

static void finish(struct api_worker *w, struct http_request *req, int status)
{
	counters_request(&w->api->counters, HANDLER_API, http_request_method(req), status);
	http_reply_header(req, "Cache-Control", "no-store");
	http_reply_header(req, "X-Content-Type-Options", "nosniff");
	http_reply(req, status, json);
}

void v1_reply_error(struct api_worker *w, struct http_request *req, const struct err *why)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	struct err err = *why;
	int status;

	error_is_want_of_memory(&w->reader.arena, &err);
	status = error_status(&err);
	strbuf_addf(&b,
		    "{\"status\":\"error\",\"errorType\":\"%s\",\"error\":", error_type(status));
	json_add_string(&b, str_of(err.msg));
	strbuf_addc(&b, '}');
	if (status == 503)
		http_reply_header(req, "Retry-After", "1");
	http_reply_add(req, strbuf_str(&b));
	finish(w, req, status);
}

static void add_tail(struct strbuf *b, struct str warning)
{
	if (warning.n) {
		strbuf_addz(b, ",\"warnings\":[");
		json_add_string(b, warning);
		strbuf_addc(b, ']');
	}
	strbuf_addc(b, '}');
}

static const struct str head = { "{\"status\":\"success\",\"data\":", 27 };

void v1_reply(struct api_worker *w, struct http_request *req, int status, struct str data,
	      struct str warning)
{
	CLEANUP(strbuf_done) struct strbuf tail = { 0 };

	add_tail(&tail, warning);
	http_reply_add(req, head);
	http_reply_add(req, data);
	http_reply_add(req, strbuf_str(&tail));
	finish(w, req, status);
}

int v1_params(struct api_worker *w, const char *const *known, size_t n_known, bool strict,
	      struct params *ret, struct str *ret_warning, struct err *err)
{
	struct arena *a = &w->reader.arena;
	const struct param *unknown;
	struct err warning;

	*ret_warning = STR("");
	if (params_parse(w->query, a, ret, err) < 0)
		return -1;
	unknown = params_unknown(ret, known, n_known);
	if (strict || !unknown)
		return strict ? params_check(ret, known, n_known, err) : 0;
	params_check(ret, known, n_known, &warning);
	*ret_warning = arena_dup(a, str_of(warning.msg));
	return 0;
}

/* Called when the reply has been sent, or its client is gone. */
static void release(void *arg)
{
	struct v1_job *j = arg;

	bytes_detached_add(-(int64_t)j->data.n);
	strbuf_done(&j->data);
	strbuf_done(&j->warning);
	j->free(j);
}

/* On the worker again. */
static void answer(struct http_task *task)
{
	struct v1_job *j = (struct v1_job *)((char *)task - offsetof(struct v1_job, task));
	struct api_worker *w = j->worker;
	struct http_request *req = j->req;
	CLEANUP(strbuf_done) struct strbuf tail = { 0 };

	if (j->crowded)
		err_set(&j->err, ERR_BUSY, 0,
			"others are still reading too much (--limits.reply-bytes), try again");
	if (j->err.reason) {
		v1_reply_error(w, req, &j->err);
		j->data.n = 0;
		release(j);
		return;
	}
	bytes_detached_add((int64_t)j->data.n);
	if (api_is_unchanged(req, strbuf_str(&j->data))) {
		release(j);
		finish(w, req, 304);
		return;
	}
	add_tail(&tail, strbuf_str(&j->warning));
	http_reply_add(req, head);
	http_reply_ref(req, strbuf_str(&j->data), release, j);
	http_reply_add(req, strbuf_str(&tail));
	finish(w, req, 200);
}

/* On the background thread. */
static bool step(struct job *job, int64_t until_ns)
{
	struct v1_job *j = (struct v1_job *)job;

	j->crowded = api_is_crowded(j->worker->api);
	if (!j->crowded && !j->step(j, until_ns))
		return false;
	http_worker_post(j->worker->http, &j->task);
	return true;
}

void v1_run(struct api_worker *w, struct http_request *req, struct v1_job *j)
{
	struct err err;

	j->job = (struct job){ .kind = JOB_PAGE, .step = step };
	j->task = (struct http_task){ .run = answer };
	j->worker = w;
	j->req = req;
	if (background_add(w->api->background, &j->job)) {
		return;
	}
	strbuf_done(&j->warning);
	j->free(j);
	err_set(&err, ERR_BUSY, 0, "too many requests of this kind are waiting, try again");
	v1_reply_error(w, req, &err);
}

void v1_add_time(struct strbuf *b, double at)
{
	int64_t ms = (int64_t)(at * 1e3);
	time_t seconds = ms / 1000;
	char date[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strbuf_addf(b, "\"%s.%03dZ\"", date, (int)(ms % 1000));
}
