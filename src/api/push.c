/* PUT, POST and DELETE of a group (behaviour 3). */
#include <stdlib.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "format/negotiate.h"
#include "format/proto_decode.h"
#include "format/text_parse.h"

/* A push on its way: to the committer and back to the worker that owns the socket. */
struct pending {
	struct http_task task; /* first */
	struct api_worker *worker;
	struct http_request *req;
	struct push *push;
	int64_t start_ns;
};

static enum push_mode mode_of(enum http_method method)
{
	return method == HTTP_PUT ? PUSH_PUT : method == HTTP_POST ? PUSH_POST : PUSH_DELETE;
}

/* As the Go gateway's instrumentation counts a request's size (behaviour 5.7). */
static size_t request_bytes(const struct http_request *req)
{
	return http_request_target(req).n + strlen(counters_methods[http_request_method(req)]) +
	       strlen(http_request_protocol(req)) + http_request_header_bytes(req) +
	       http_request_body(req).n;
}

static void count(struct api_worker *w, const struct http_request *req, int status,
		  int64_t start_ns)
{
	enum http_method method = http_request_method(req);
	struct counters *c = &w->api->counters;
	int64_t now = clock_mono_ns();

	if (method == HTTP_DELETE) {
		counters_request(c, HANDLER_DELETE, method, status);
		return;
	}
	enum push_method m = method == HTTP_PUT ? PUSH_METHOD_PUT : PUSH_METHOD_POST;

	counters_request(c, HANDLER_PUSH, method, status);
	quantiles_observe(&c->push_seconds[m], (double)(now - start_ns) / 1e9, now);
	quantiles_observe(&c->push_bytes[m], (double)request_bytes(req), now);
}

static void refuse(struct api_worker *w, struct http_request *req, const struct err *err,
		   enum reject why, int64_t start_ns)
{
	w->api->counters.rejects[why]++;
	count(w, req, err->status, start_ns);
	api_reply_error(req, err->status, err->msg);
}

static enum reject reason_of(int status)
{
	return status == 400 ? REJECT_INCONSISTENT : status == 503 ? REJECT_STORAGE : REJECT_LIMIT;
}

static void log_rejected(const struct http_request *req, const struct err *err)
{
	static const char *const methods[] = { "GET", "PUT", "POST", "DELETE" };

	log_error("pushed metrics are invalid or inconsistent with existing metrics", "method",
		  methods[http_request_method(req)], "source", http_request_peer(req), "err",
		  err->msg, NULL);
}

/* On the worker's thread, with the verdict. */
static void finish(struct http_task *task)
{
	struct pending *p = (struct pending *)task;
	struct push *push = p->push;

	if (push->err.status) {
		if (push->err.status == 400)
			log_rejected(p->req, &push->err);
		refuse(p->worker, p->req, &push->err, reason_of(push->err.status), p->start_ns);
	} else {
		int status = push->mode == PUSH_DELETE ? 202 : 200;

		count(p->worker, p->req, status, p->start_ns);
		http_reply(p->req, status, NULL);
	}
	push_free(push);
	free(p);
}

/* On the committer's thread. */
static void committed(struct push *push)
{
	struct pending *p = push->done_arg;

	http_worker_post(p->worker->http, &p->task);
}

static void wake_committer(struct http_task *task)
{
	struct api_worker *w = (struct api_worker *)((char *)task -
						     offsetof(struct api_worker, wake_task));

	w->wake_due = false;
	queue_wake(w->api->queue);
}

/* All pushes that are ready to be read now go into one batch, and cost one switch of threads. */
static void wake_committer_later(struct api_worker *w)
{
	if (w->wake_due)
		return;
	w->wake_due = true;
	w->wake_task.run = wake_committer;
	http_worker_defer(w->http, &w->wake_task);
}

static void enqueue(struct api_worker *w, struct http_request *req, struct push *push,
		    int64_t start_ns)
{
	struct pending *p = mem_alloc(sizeof(*p));
	struct err err;

	*p = (struct pending){
		.task = { .run = finish },
		.worker = w,
		.req = req,
		.push = push,
		.start_ns = start_ns,
	};
	push->done = committed;
	push->done_arg = p;
	switch (queue_push(w->api->queue, &push->node)) {
	case QUEUE_OK:
		http_reply_later(req);
		wake_committer_later(w);
		return;
	case QUEUE_FULL:
		err_set(&err, 503, 0, "write queue is full, try again (--push.queue-size)");
		break;
	case QUEUE_CLOSED:
		err_set(&err, 503, 0, "the gateway is shutting down");
		break;
	}
	push_free(push);
	free(p);
	refuse(w, req, &err, REJECT_BUSY, start_ns);
}

static int decode(struct api_worker *w, const struct http_request *req,
		  struct family **ret_families, struct err *err)
{
	const struct config *c = w->api->config;
	const struct decode_limits lim = {
		.max_labels = (uint32_t)c->labels_per_series,
		.max_label_name = (uint32_t)c->label_name_length,
		.max_label_value = (uint32_t)c->label_value_length,
		.max_series = c->series_per_push,
	};
	struct str encoding = http_request_header(req, "Content-Encoding");
	struct str body = http_request_body(req);

	if (str_eq_nocase(encoding, STR("gzip")) || str_eq_nocase(encoding, STR("snappy")))
		return err_set(err, 415, 0,
			       "compressed pushes are not supported: send the body without "
			       "Content-Encoding: %.*s",
			       STR_ARG(encoding));
	if (content_type_is_protobuf(http_request_header(req, "Content-Type")))
		return proto_decode(body, &lim, &w->arena, ret_families, err);
	return text_parse(body, &lim, &w->arena, ret_families, err);
}

void api_push(struct api_worker *w, struct http_request *req, struct str key_path)
{
	const struct config *c = w->api->config;
	const struct key_limits lim = {
		.max_labels = (uint32_t)c->labels_per_series,
		.max_label_name = (uint32_t)c->label_name_length,
		.max_label_value = (uint32_t)c->label_value_length,
	};
	enum push_mode mode = mode_of(http_request_method(req));
	int64_t start_ns = clock_mono_ns();
	struct family *families = NULL;
	struct err err = { 0 };
	struct key key;

	if (key_parse(key_path, &lim, &w->arena, &key, &err) < 0) {
		log_debug("failed to parse URL", "source", http_request_peer(req), "err", err.msg,
			  NULL);
		refuse(w, req, &err, REJECT_PATH, start_ns);
		return;
	}
	if (mode != PUSH_DELETE && decode(w, req, &families, &err) < 0) {
		log_debug("failed to parse text", "source", http_request_peer(req), "err", err.msg,
			  NULL);
		refuse(w, req, &err, err.status == 413 ? REJECT_LIMIT : REJECT_BODY, start_ns);
		return;
	}

	struct push *push = push_build(&w->builder, mode, &key, families, clock_wall());

	if (push->err.status && push->err.status != 400) {
		err = push->err;
		push_free(push);
		refuse(w, req, &err, REJECT_LIMIT, start_ns);
		return;
	}
	enqueue(w, req, push, start_ns);
}
