#include "api/background_reply.h"

#include <stdlib.h>

#include "api/reply.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "expose/background.h"

struct background_reply {
	struct job job;        /* first; on the way to the background thread */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	const struct body_maker *maker;
	void *making; /* NULL: not begun */
	struct strbuf body;
	bool crowded, failed;
};

/* The reply is sent, or its client is gone. */
static void release(void *reply)
{
	struct background_reply *r = reply;

	bytes_detached_add(-(int64_t)r->body.n);
	strbuf_done(&r->body);
	free(r);
}

/* On the worker again. */
static void finish(struct http_task *task)
{
	struct background_reply *r =
		(struct background_reply *)((char *)task - offsetof(struct background_reply, task));

	struct http_request *req = r->req;
	const char *content_type = r->maker->content_type;

	if (r->crowded || r->failed) {
		if (r->crowded)
			api_refuse_crowded(req);
		else
			api_reply_error(req, 503, "not enough memory for the answer, try again");
		strbuf_done(&r->body);
		free(r);
		return;
	}
	http_reply_ref(req, strbuf_str(&r->body), release, r);
	http_reply(req, 200, content_type);
}

/* On the background thread. */
static bool step(struct job *job, int64_t until_ns)
{
	struct background_reply *r = (struct background_reply *)job;

	if (!r->making) {
		r->crowded = api_is_crowded(r->worker->api);
		if (!r->crowded)
			r->making = r->maker->begin(r->worker->api, r->req);
	}
	if (r->making) {
		enum body_step now = r->maker->step(r->making, &r->body, until_ns);

		if (now == BODY_UNFINISHED)
			return false;
		r->failed = now == BODY_FAILED;
		r->maker->end(r->making);
	}
	if (!r->failed)
		bytes_detached_add((int64_t)r->body.n);
	http_worker_post(r->worker->http, &r->task);
	return true;
}

void background_reply(struct api_worker *w, struct http_request *req,
		      const struct body_maker *maker)
{
	struct background_reply *r = mem_alloc(sizeof(*r));

	*r = (struct background_reply){
		.job = { .kind = JOB_PAGE, .step = step },
		.task = { .run = finish },
		.worker = w,
		.req = req,
		.maker = maker,
	};
	if (background_add(w->api->background, &r->job)) {
		return;
	}
	free(r);
	api_reply_error(req, 503, "too many requests of this kind are waiting, try again");
}
