/* GET /metrics/job/...: the metrics of one group, in text format 0.0.4. */
#include <stdlib.h>

#include "api/api.h"
#include "api/endpoints.h"
#include "api/error_status.h"
#include "api/reply.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"
#include "expose/background.h"
#include "format/text/write.h"
#include "metrics/key.h"
#include "store/store.h"

struct group_scrape {
	struct job job;        /* first; on the way to the background thread */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	struct strbuf key; /* canonical bytes */
	uint32_t cursor;
	struct group_list some; /* of all groups */
	struct strbuf text;
	int status;
};

static void drop(struct group_scrape *s)
{
	strbuf_done(&s->key);
	strbuf_done(&s->text);
	group_list_done(&s->some);
	free(s);
}

/* The reply is sent, or its client is gone. */
static void release(void *arg)
{
	struct group_scrape *s = arg;

	bytes_detached_add(-(int64_t)s->text.n);
	drop(s);
}

/* On the worker again. */
static void finish(struct http_task *task)
{
	struct group_scrape *s = (struct group_scrape *)((char *)task -
							 offsetof(struct group_scrape, task));
	struct http_request *req = s->req;

	if (s->status == 200) {
		bytes_detached_add((int64_t)s->text.n);
		http_reply_ref(req, strbuf_str(&s->text), release, s);
		http_reply(req, 200,
			   "text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
		return;
	}
	if (s->status == 404)
		api_reply_error(req, 404, "there is no such group");
	else
		api_reply_error(req, 503, "not enough memory for the answer, try again");
	drop(s);
}

static void write_group(struct group_scrape *s, const struct group_copy *g)
{
	for (uint32_t i = 0; i < g->n_families; i++) {
		const struct group_copy_family *f = &g->families[i];

		text_write_header(&s->text, f->exposed, f->help.p != NULL, f->help, f->type);
		strbuf_adds(&s->text, f->text);
	}
}

/* The one in that slot, if it still is it. */
static int copy(struct group_scrape *s, uint32_t slot)
{
	struct group_copy g;
	struct arena a;
	uint32_t before = slot - 1;
	int r, status = 404;

	arena_init(&a, ARENA_MAY_FAIL);
	r = store_copy_group(s->worker->api->store, &before, &a, &g);
	if (r < 0)
		status = 503;
	else if (r > 0 && str_eq(g.key, strbuf_str(&s->key)))
		status = 200;
	if (status == 200)
		write_group(s, &g);
	arena_done(&a);
	return status;
}

/* Found, or not: then it goes on. */
static int look(struct group_scrape *s)
{
	if (!store_list_groups(s->worker->api->store, &s->cursor, &s->some))
		return 404;
	for (uint32_t i = 0; i < s->some.n; i++)
		if (str_eq(group_list_key(&s->some, &s->some.list[i]), strbuf_str(&s->key)))
			return copy(s, s->some.list[i].slot);
	return 0;
}

/* On the background thread. */
static bool step(struct job *job, int64_t until_ns)
{
	struct group_scrape *s = (struct group_scrape *)job;

	while (s->status == 0) {
		s->status = api_is_crowded(s->worker->api) ? 503 : look(s);
		if (s->status == 0 && clock_mono_ns() >= until_ns)
			return false;
	}
	http_worker_post(s->worker->http, &s->task);
	return true;
}

void api_group_scrape(struct api_worker *w, struct http_request *req)
{
	const struct config *c = w->api->config;
	const struct key_limits lim = {
		.max_labels = (uint32_t)c->labels_per_series,
		.max_label_name = (uint32_t)c->label_name_length,
		.max_label_value = (uint32_t)c->label_value_length,
		.utf8_names = c->push_enable_utf8_names,
	};
	struct group_scrape *s;
	struct key key;
	struct err err;

	if (key_parse(w->push_path.key, &lim, &w->reader.arena, &key, NULL, &err) < 0) {
		api_reply_error(req, error_status(&err), err.msg);
		return;
	}
	s = mem_zalloc(sizeof(*s));
	s->job = (struct job){ .kind = JOB_PAGE, .step = step };
	s->task = (struct http_task){ .run = finish };
	s->worker = w;
	s->req = req;
	key_encode(&key, &s->key);
	if (background_add(w->api->background, &s->job)) {
		return;
	}
	drop(s);
	api_reply_error(req, 503, "too many requests of this kind are waiting, try again");
}
