#include "api/background_reply.h"

#include <stdlib.h>

#include "base/mem.h"

struct later {
	struct background_job job; /* first; on the way to the background thread */
	struct http_task task;     /* and back */
	struct api_worker *worker;
	struct http_request *req;
	const char *content_type;
	later_fn make;
	struct strbuf body;
	bool refused;
};

/* The reply is sent, or its client is gone. */
static void release(void *later)
{
	struct later *l = later;

	bytes_detached_add(-(int64_t)l->body.n);
	strbuf_done(&l->body);
	free(l);
}

/* On the worker again. */
static void finish(struct http_task *task)
{
	struct later *l = (struct later *)((char *)task - offsetof(struct later, task));

	struct http_request *req = l->req;
	const char *content_type = l->content_type;

	if (l->refused) {
		free(l);
		api_refuse_crowded(req);
		return;
	}
	http_reply_ref(req, strbuf_str(&l->body), release, l);
	http_reply(req, 200, content_type);
}

static void run(struct background_job *job)
{
	struct later *l = (struct later *)job;

	l->refused = api_is_crowded(l->worker->api);
	if (!l->refused)
		l->make(l->worker->api, &l->body);
	bytes_detached_add((int64_t)l->body.n);
	http_worker_post(l->worker->http, &l->task);
}

void api_reply_later(struct api_worker *w, struct http_request *req, const char *content_type,
		     later_fn make)
{
	struct later *l = mem_alloc(sizeof(*l));

	*l = (struct later){
		.job = { .run = run },
		.task = { .run = finish },
		.worker = w,
		.req = req,
		.content_type = content_type,
		.make = make,
	};
	if (background_add(w->api->background, &l->job)) {
		http_reply_later(req);
		return;
	}
	free(l);
	api_reply_error(req, 503, "too many requests of this kind are waiting, try again");
}
