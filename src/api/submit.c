#include "api/submit.h"

#include <stdlib.h>
#include <string.h>

#include "api/caller.h"
#include "api/changes.h"
#include "api/client.h"
#include "api/denied_target.h"
#include "api/error_status.h"
#include "api/refusals.h"
#include "api/reply.h"
#include "api/warnings.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/queue.h"
#include "config/cidr.h"
#include "config/config.h"

/* A push on its way: to the committer and back to the worker that owns the socket. */
struct pending {
	struct http_task task; /* first */
	struct api_worker *worker;
	struct http_request *req;
	struct push *push;
	int64_t start_ns;
	char who[]; /* address and user, which the push borrows */
};

/* The Go gateway counts URL, method, protocol, headers and body, without separators. */
static size_t request_bytes(const struct http_request *req)
{
	return http_request_target(req).n + strlen(counters_methods[http_request_method(req)]) +
	       strlen(http_request_protocol(req)) + http_request_header_bytes(req) +
	       http_request_body(req).n;
}

static void count(struct api_worker *w, struct http_request *req, enum push_mode mode,
		  int64_t start_ns)
{
	enum http_method method = http_request_method(req);
	struct counters *c = &w->api->counters;
	int64_t now = clock_mono_ns();

	if (mode != PUSH_PUT && mode != PUSH_POST) {
		api_count_as(req, mode == PUSH_DELETE ? HANDLER_DELETE : HANDLER_WIPE);
		return;
	}
	enum push_method m = method == HTTP_PUT ? PUSH_METHOD_PUT : PUSH_METHOD_POST;

	api_count_as(req, HANDLER_PUSH);
	quantiles_observe(&c->push_seconds[m], (double)(now - start_ns) / 1e9, now);
	quantiles_observe(&c->push_bytes[m], (double)request_bytes(req), now);
}

void submit_refuse(struct api_worker *w, struct http_request *req, enum push_mode mode,
		   struct str group, const struct err *err, enum reject why, int64_t start_ns)
{
	w->api->counters.rejects[why]++;
	refusals_push(w, req, why, group, err);
	count(w, req, mode, start_ns);
	api_reply_error(req, error_status(err), err->msg);
}

void submit_refuse_dry_run(struct http_request *req, const struct err *err)
{
	api_count_as(req, HANDLER_DRY_RUN);
	api_reply_error(req, error_status(err), err->msg);
}

static enum reject reject_of(enum err_reason reason)
{
	return reason == ERR_INVALID                                     ? REJECT_INCONSISTENT
	       : reason == ERR_CONFLICT                                  ? REJECT_CONFLICT
	       : reason == ERR_STORAGE                                   ? REJECT_STORAGE
	       : reason == ERR_RULE_TOO_LARGE || reason == ERR_RULE_FULL ? REJECT_RULE_LIMIT
									 : REJECT_LIMIT;
}

static int status_of(const struct api_worker *w, enum push_mode mode)
{
	bool unchecked = w->api->config->push_disable_consistency_check;

	return mode == PUSH_DELETE || mode == PUSH_WIPE || unchecked ? 202 : 200;
}

/* Logs who deleted a group, or all groups. */
static void log_deleted(const struct api_worker *w, const struct http_request *req,
			const struct push *push)
{
	CLEANUP(strbuf_done) struct strbuf group = { 0 }, path = { 0 };
	char client[CLIENT_MAX], user[CLIENT_MAX];

	changes_note(w, req, push->mode == PUSH_WIPE ? "wipe" : "delete", push->n_ended, NULL);
	client_name(w->api, req, client);
	client_user(w->api, req, user);
	if (push->mode == PUSH_WIPE) {
		log_info("all groups deleted", "source", client, *user ? "user" : NULL, user, NULL);
		return;
	}
	strbuf_adds(&path, target_shown(w->api, http_request_target(req)));
	strbuf_adds(&group, target_is_denied(w->api, http_request_target(req)) ? TARGET_NOT_SHOWN
									       : push->labels);
	log_info("group deleted", "source", client, "path", strbuf_z(&path), "group",
		 strbuf_z(&group), *user ? "user" : NULL, user, NULL);
}

static void refuse(struct api_worker *w, struct http_request *req, const struct push *push,
		   enum reject why, int64_t start_ns)
{
	if (push->dry_run)
		submit_refuse_dry_run(req, &push->err);
	else
		submit_refuse(w, req, push->mode, push->labels, &push->err, why, start_ns);
}

/* On the worker's thread, with the verdict. */
static void finish(struct http_task *task)
{
	struct pending *p = (struct pending *)task;
	struct push *push = p->push;

	/*
	 * With --push.disable-consistency-check the pusher expects no verdict: an inconsistent push
	 * is answered as if it were accepted, and left out.
	 */
	if (push->err.reason == ERR_INVALID &&
	    p->worker->api->config->push_disable_consistency_check) {
		if (!push->dry_run)
			refusals_push(p->worker, p->req, REJECT_INCONSISTENT, push->labels,
				      &push->err);
		push->err.reason = ERR_NONE;
	}
	if (push->err.reason) {
		refuse(p->worker, p->req, push, reject_of(push->err.reason), p->start_ns);
	} else {
		int status = status_of(p->worker, push->mode);

		if (!push->dry_run)
			count(p->worker, p->req, push->mode, p->start_ns);
		if (push->mode == PUSH_DELETE || push->mode == PUSH_WIPE)
			log_deleted(p->worker, p->req, push);
		warnings_say(p->worker, p->req, push);
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

/*
 * Wakes the committer after all requests that can be read now, so that their pushes go into one
 * batch, with one switch of threads.
 */
static void wake_committer_later(struct api_worker *w)
{
	if (w->wake_due)
		return;
	w->wake_due = true;
	w->wake_task.run = wake_committer;
	http_worker_defer(w->http, &w->wake_task);
}

static struct pending *pending_new(struct api_worker *w, const struct http_request *req,
				   struct push *push)
{
	char client[CLIENT_MAX], user[CLIENT_MAX];
	struct pending *p;
	struct str peer;

	client_name(w->api, req, client);
	client_user(w->api, req, user);
	peer = cidr_host_of(str_of(client));
	push->user.n = strlen(user);
	push->peer.n = peer.n;
	p = mem_alloc(sizeof(*p) + peer.n + push->user.n);
	push->peer.p = copy_bytes(p->who, peer.p, peer.n);
	push->user.p = copy_bytes(p->who + peer.n, user, push->user.n);
	return p;
}

void submit_push(struct api_worker *w, struct http_request *req, struct push *push,
		 int64_t start_ns)
{
	struct pending *p = pending_new(w, req, push);
	enum push_mode mode = push->mode;

	*p = (struct pending){
		.task = { .run = finish },
		.worker = w,
		.req = req,
		.push = push,
		.start_ns = start_ns,
	};
	push->hides_others = !caller_sees_all(caller_of(req));
	push->node.urgent = mode == PUSH_DELETE || mode == PUSH_WIPE;
	push->node.about = mode == PUSH_WIPE ? 0 : push->key_hash;
	push->done = committed;
	push->done_arg = p;
	switch (queue_push(w->api->queue, &push->node)) {
	case QUEUE_OK:
		wake_committer_later(w);
		return;
	case QUEUE_FULL:
		err_set(&push->err, ERR_BUSY, 0, SUBMIT_BUSY);
		break;
	case QUEUE_CLOSED:
		err_set(&push->err, ERR_BUSY, 0, "the gateway is shutting down");
		break;
	}
	free(p);
	refuse(w, req, push, REJECT_BUSY, start_ns);
	push_free(push);
}
