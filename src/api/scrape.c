/* GET /metrics: what is stored, by reference, with our own metrics merged in by name. */
#include <stdlib.h>

#include "api/api.h"
#include "api/endpoints.h"
#include "api/error_status.h"
#include "api/params.h"
#include "api/reply.h"
#include "api/scrape_call.h"
#include "api/scrape_part.h"
#include "api/status_facts.h"
#include "base/mem.h"
#include "commit/committer.h"
#include "config/config.h"
#include "expose/background.h"
#include "expose/encoded_body.h"
#include "expose/scrape_body.h"
#include "format/accept_header.h"
#include "format/content_type.h"
#include "store/store.h"

/* How many large scrapes with match[] may be copied at a time, where there is memory for them. */
enum { PARTS_MAX = 4, PART_MEMORY = 64 * 1024 * 1024 };

struct scrape_call {
	struct job job;        /* first; on the way to the background thread */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	struct accepted as;
	enum compression coding;
	struct scrape_body body;
	bool refused;
	struct err err; /* why there is no body, unless the scrape was refused */
	bool part_begun;
	struct scrape_part *part; /* copies the groups that match; NULL: there is no match[] */
	struct shard shard;       /* the shard whose snapshot has yet to be taken; n 0: none */
	/* What a body in another format is made from; NULL once that has begun. */
	struct snapshot *snap;
	struct own_metrics own;
	bool begun;
	struct encoded_body *encoding;          /* NULL: not begun, or complete */
	struct scrape_compression *compressing; /* the same */
};

static void reply(struct http_request *req, struct scrape_body *body, struct accepted as,
		  enum compression coding)
{
	char type[CONTENT_TYPE_MAX];

	if (coding != COMPRESS_NONE)
		http_reply_header(req, "Content-Encoding", compression_name(coding));
	scrape_body_send(body, req);
	http_reply(req, 200, accept_content_type(as, type));
}

static void scrape_drop(struct scrape_call *s)
{
	scrape_compression_free(s->compressing);
	encoded_body_free(s->encoding);
	scrape_part_free(s->part);
	snapshot_free(s->snap);
	own_done(&s->own);
	scrape_body_done(&s->body);
	free(s);
}

/* On the worker again. */
static void finish(struct http_task *task)
{
	struct scrape_call *s = (struct scrape_call *)((char *)task -
						       offsetof(struct scrape_call, task));

	if (s->refused) {
		struct http_request *req = s->req;

		scrape_drop(s);
		api_refuse_crowded(req);
		return;
	}
	if (s->err.reason) {
		api_reply_error(s->req, error_status(&s->err), s->err.msg);
		scrape_drop(s);
		return;
	}
	reply(s->req, &s->body, s->as, s->coding);
	own_done(&s->own);
	free(s);
}

static bool is_plain(struct accepted as)
{
	return as.format == FORMAT_TEXT && as.escaping == ESCAPE_UNDERSCORES;
}

/* The copies of many such scrapes at the same time would take unbounded memory. */
static bool begin_part(struct scrape_call *s)
{
	struct api *api = s->worker->api;
	uint64_t max = api->config->memory.bytes / PART_MEMORY;

	max = max < 1 ? 1 : max > PARTS_MAX ? PARTS_MAX : max;
	if (api->parts_being_made >= max) {
		err_set(&s->err, ERR_BUSY, 0,
			"%llu scrapes with match[] are being made already, try again",
			(unsigned long long)max);
		return false;
	}
	api->parts_being_made++;
	s->part_begun = true;
	return true;
}

/* The copy is complete, or given up. */
static void end_part(struct scrape_call *s)
{
	s->worker->api->parts_being_made -= s->part_begun;
	s->part_begun = false;
}

static struct snapshot *take_snapshot(const struct scrape_call *s, struct store *store)
{
	const struct snapshot_wants plain = { .slots = SLOTS_NONE, .shard = s->shard };

	return is_plain(s->as) ? store_snapshot(store, &plain)
			       : encoded_body_snapshot(store, s->as, s->coding, s->shard);
}

static void show(struct scrape_call *s, struct snapshot *snap)
{
	if (is_plain(s->as))
		scrape_body_init(&s->body, snap, &s->own);
	else
		s->encoding = encoded_body_new(&s->body, snap, &s->own, s->as, s->coding);
}

static void make_shard(struct scrape_call *s)
{
	show(s, take_snapshot(s, s->worker->api->store));
	s->shard = (struct shard){ 0 };
}

/* False: groups that match have yet to be copied. */
static bool make_part(struct scrape_call *s, int64_t until_ns)
{
	struct snapshot *snap;

	if (scrape_part_is_large(s->part) && !s->part_begun && !begin_part(s))
		return true;
	if (!scrape_part_step(s->part, until_ns, &s->err))
		return false;
	end_part(s);
	if (s->err.reason)
		return true;
	snap = take_snapshot(s, scrape_part_store(s->part));
	scrape_part_cut(s->part, snap);
	show(s, snap);
	scrape_part_free(s->part);
	s->part = NULL;
	return true;
}

static void begin(struct scrape_call *s)
{
	s->begun = true;
	s->worker->api->scrapes_being_made++;
	if (s->snap)
		s->encoding = encoded_body_new(&s->body, s->snap, &s->own, s->as, s->coding);
	s->snap = NULL;
}

/* True: the body can be sent. */
static bool make(struct scrape_call *s, int64_t until_ns)
{
	if (s->part && !make_part(s, until_ns))
		return false;
	if (s->err.reason)
		return true;
	if (s->shard.n > 0)
		make_shard(s);
	if (s->encoding) {
		if (!encoded_body_step(s->encoding, until_ns))
			return false;
		encoded_body_free(s->encoding);
		s->encoding = NULL;
	}
	if (s->coding == COMPRESS_NONE)
		return true;
	if (!s->compressing)
		s->compressing = scrape_compression_new(&s->body, s->coding);
	if (!scrape_compression_step(s->compressing, until_ns))
		return false;
	scrape_compression_free(s->compressing);
	s->compressing = NULL;
	return true;
}

/*
 * Checked before a scrape begins, and again while others are being made beside it, since all
 * together could take unbounded memory. At least one is always completed.
 */
static bool is_one_too_many(const struct scrape_call *s)
{
	struct api *api = s->worker->api;

	return (!s->begun || api->scrapes_being_made > 1) && api_is_crowded(api);
}

/* On the background thread. */
static bool step(struct job *job, int64_t until_ns)
{
	struct scrape_call *s = (struct scrape_call *)job;

	s->refused = is_one_too_many(s);
	if (!s->refused) {
		if (!s->begun)
			begin(s);
		if (!make(s, until_ns))
			return false;
	}
	if (s->begun)
		s->worker->api->scrapes_being_made--;
	end_part(s);
	http_worker_post(s->worker->http, &s->task);
	return true;
}

static void encode_later(struct scrape_call *s)
{
	struct http_request *req = s->req;

	s->job.kind = JOB_SCRAPE;
	s->job.step = step;
	s->task.run = finish;
	if (background_add(s->worker->api->background, &s->job)) {
		return;
	}
	scrape_drop(s);
	api_reply_error(req, 503, "too many scrapes are waiting, try again");
}

/* What a scrape asks for. */
struct asked {
	struct scrape_part *part; /* NULL: no match[] is there */
	struct shard shard;
	bool only_own, not_own; /* of the gateway's own metrics */
};

static int parse_own(const struct params *p, struct asked *ret, struct err *err)
{
	struct str own = params_get(p, "own");

	if (!own.p)
		return 0;
	if (params_once(p, "own", err) < 0)
		return -1;
	ret->only_own = str_eq(own, STR("only"));
	ret->not_own = str_eq(own, STR("0"));
	if (ret->only_own || ret->not_own || str_eq(own, STR("1")))
		return 0;
	return err_set(err, ERR_INVALID, 0,
		       "own is 0 (without the gateway's own metrics), 1 or only (nothing else)");
}

/* -1: *err. */
static int asked_for(struct api_worker *w, struct asked *ret, struct err *err)
{
	static const char *const names[] = { "match[]", "shard", "own" };
	struct params p;
	struct str shard;

	*ret = (struct asked){ 0 };
	if (params_parse_some(w->query, names, ARRAY_LEN(names), &w->reader.arena, &p, err) < 0)
		return -1;
	if (parse_own(&p, ret, err) < 0)
		return -1;
	shard = params_get(&p, "shard");
	if (shard.p &&
	    (params_once(&p, "shard", err) < 0 || shard_parse(shard, &ret->shard, err) < 0))
		return -1;
	if (!params_get(&p, "match[]").p)
		return 0;
	return scrape_part_new(w->api->store, &p, ret->shard, &ret->part, err);
}

static struct scrape_call *scrape_call_new(struct api_worker *w, struct http_request *req)
{
	struct scrape_call *s = mem_zalloc(sizeof(*s));

	s->worker = w;
	s->req = req;
	s->as = accept_parse(http_request_header(req, "Accept"),
			     w->api->config->web_enable_openmetrics);
	s->coding = negotiate_compression(http_request_header(req, "Accept-Encoding"));
	return s;
}

void scrape_call_part(struct api_worker *w, struct http_request *req, struct scrape_part *part)
{
	struct scrape_call *s = scrape_call_new(w, req);

	s->part = part;
	encode_later(s);
}

static void collect_own(struct api_worker *w, struct own_metrics *own)
{
	struct status_facts facts;
	const struct own_sources sources = {
		.replica = w->api->freshness ? w->api->replica : NULL,
		.store = w->api->store,
		.queue = w->api->queue,
		.committer = w->api->committer,
		.freshness = w->api->freshness,
		.server = w->api->server,
		.rules = w->api->rules,
		.counters = &w->api->counters,
		.database_set_aside = w->api->database_set_aside,
		.salvaged_groups = w->api->salvaged_groups,
		.limits = facts.limits,
		.n_limits = LIMIT_USES,
	};

	status_facts_collect(w->api, &facts);
	own_collect(own, &sources);
}

/* Shows only the own metrics, with a store without groups. */
static void scrape_own(struct scrape_call *s)
{
	static const struct store_limits unlimited = { UINT64_MAX, UINT64_MAX };
	struct store *empty = store_new(&unlimited);

	collect_own(s->worker, &s->own);
	if (is_plain(s->as))
		show(s, take_snapshot(s, empty));
	else
		s->snap = take_snapshot(s, empty);
	store_free(empty);
	if (!is_plain(s->as) || s->coding != COMPRESS_NONE) {
		encode_later(s);
		return;
	}
	own_done(&s->own);
	reply(s->req, &s->body, s->as, s->coding);
	free(s);
}

/* Shows all groups, or a shard of them. The first shard has the own metrics. */
static void scrape_shard(struct scrape_call *s, struct shard shard, bool own)
{
	if (shard.at == 0 && own)
		collect_own(s->worker, &s->own);
	s->shard = shard;
	if (shard.n > 0) {
		encode_later(s);
		return;
	}
	if (!is_plain(s->as)) {
		s->snap = take_snapshot(s, s->worker->api->store);
		encode_later(s);
		return;
	}
	show(s, take_snapshot(s, s->worker->api->store));
	own_done(&s->own);
	if (s->coding != COMPRESS_NONE) {
		encode_later(s);
		return;
	}
	reply(s->req, &s->body, s->as, s->coding);
	free(s);
}

static void refuse(struct api_worker *w, struct http_request *req, struct err *err)
{
	error_is_want_of_memory(&w->reader.arena, err);
	api_reply_error(req, error_status(err), err->msg);
}

void api_scrape(struct api_worker *w, struct http_request *req)
{
	struct asked asked;
	struct err err;

	if (api_is_crowded(w->api))
		api_refuse_crowded(req);
	else if (asked_for(w, &asked, &err) < 0)
		refuse(w, req, &err);
	else if (asked.part)
		scrape_call_part(w, req, asked.part);
	else if (asked.only_own)
		scrape_own(scrape_call_new(w, req));
	else
		scrape_shard(scrape_call_new(w, req), asked.shard, !asked.not_own);
}
