#include "api/fresh.h"

#include <stdlib.h>

#include "api/reply.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "commit/freshness.h"

#define SECOND_NS INT64_C(1000000000)

struct fresh_call {
	struct freshness_wait wait; /* first */
	struct http_task task;
	struct api_worker *worker;
	struct http_request *req;
	void (*go_on)(struct api_worker *w, struct http_request *req);
};

/*
 * The longest wait, ns: half of a scraper's time-out, since an answer after that would be of no
 * use.
 */
static int64_t longest(const struct http_request *req)
{
	struct str said = http_request_header(req, "X-Prometheus-Scrape-Timeout-Seconds");
	double seconds;

	if (!said.p || !num_parse(said, &seconds) || !(seconds > 0) || seconds > 2)
		return SECOND_NS;
	return (int64_t)(seconds / 2 * (double)SECOND_NS);
}

/* Refuses requests when rows of others cannot be read any more. True: it has. */
static bool refuse_outgrown(struct api_worker *w, struct http_request *req)
{
	if (!committer_is_outgrown(w->api->committer))
		return false;
	api_reply_error(req, 503,
			"the database was written by a newer version: upgrade this gateway");
	return true;
}

/* On the worker again. */
static void go_on(struct http_task *task)
{
	struct fresh_call *c = (struct fresh_call *)((char *)task -
						     offsetof(struct fresh_call, task));

	if (c->worker->api->stopping)
		api_reply_error(c->req, 503, "the gateway is shutting down");
	else if (!refuse_outgrown(c->worker, c->req))
		c->go_on(c->worker, c->req);
	free(c);
}

static void done(struct freshness_wait *w)
{
	struct fresh_call *c = (struct fresh_call *)w;

	http_worker_post(c->worker->http, &c->task);
}

enum fresh_result fresh_wait(struct api_worker *w, struct http_request *req,
			     void (*then)(struct api_worker *w, struct http_request *req))
{
	struct fresh_call *c;

	if (!w->api->freshness)
		return FRESH_NOW;
	if (refuse_outgrown(w, req))
		return FRESH_REFUSED;
	if (freshness_is_stale(w->api->freshness)) {
		api_reply_error(req, 503,
				"what is shown may be out of date: for longer than "
				"--persistence.stale-after the database has not answered, or has "
				"rows that this gateway cannot show; its log says why");
		return FRESH_REFUSED;
	}
	c = mem_zalloc(sizeof(*c));
	*c = (struct fresh_call){
		.wait = { .until_ns = clock_mono_ns() + longest(req), .done = done },
		.task.run = go_on,
		.worker = w,
		.req = req,
		.go_on = then,
	};
	if (freshness_ask(w->api->freshness, &c->wait))
		return FRESH_LATER;
	free(c);
	return FRESH_NOW;
}
