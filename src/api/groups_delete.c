/*
 * DELETE /api/v1/groups: deletes the groups that a selector matches, or one family out of them;
 * POST /api/v1/groups/delete those that the body lists; and DELETE of a group with recursive=true.
 * Which keys match is found out on the background thread, since regular expressions may take long.
 * The committer decides the rest, so that no push comes between.
 */
#include <stdlib.h>

#include "api/changes.h"
#include "api/client.h"
#include "api/denied_target.h"
#include "api/endpoints.h"
#include "api/error_status.h"
#include "api/group_filter.h"
#include "api/group_json.h"
#include "api/group_keys.h"
#include "api/groups_delete.h"
#include "api/permission.h"
#include "api/picks.h"
#include "api/reply.h"
#include "api/undo.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/decompress.h"
#include "config/config.h"
#include "expose/background.h"
#include "push/push.h"

enum { SHOWN = 100 };

static const char *const known[] = { GROUP_FILTER_PARAMS, "family", "dry_run", "expect" };

static const char stays_why[] = "it is summed, and the metric is made of what its sources have "
				"counted, and would come again: end the sources by DELETE of their "
				"paths, or delete the group";

enum found { NOT_MEANT, MEANT, MAY_NOT };

struct groups_delete {
	struct job job;        /* first; on the way to the background thread, */
	struct push push;      /* to the committer, */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	struct group_filter filter;
	struct str within; /* owned; groups with all labels of this key are meant; NULL: those that
			      the filter says */
	struct group_keys keys; /* the body lists those meant; empty: the filter says it */
	struct strbuf family;
	struct removal removal;
	struct str said; /* owned; the target of the request, for the log */
	/*
	 * What the background thread has found, by slot: four times the id of the group, plus enum
	 * found. What is not there is newer, or has another slot since a database was read back.
	 */
	uint32_t cursor;
	struct group_list some;
	uint64_t *ids;
	uint32_t cap_ids;
	struct arena arena;
	struct picks picks;     /* the first groups that are deleted, for the answer */
	struct strbuf left_out; /* JSON: the first groups that keep the family */
	uint64_t n_left_out;
	struct err err;
};

static void drop(struct groups_delete *d)
{
	group_filter_done(&d->filter);
	free((char *)d->within.p);
	group_keys_done(&d->keys);
	strbuf_done(&d->family);
	free((char *)d->said.p);
	group_list_done(&d->some);
	free(d->ids);
	arena_done(&d->arena);
	picks_done(&d->picks);
	strbuf_done(&d->left_out);
	free(d);
}

/*
 * 1: `key` has all labels of `of`; 0: it has not; -1: *err. Labels of canonical bytes are sorted.
 */
static int has_all_labels(struct str key, struct str of, struct arena *a, struct err *err)
{
	struct key x, y;
	uint32_t i = 0;

	arena_reset(a);
	if (key_decode(key, a, &x) < 0 || key_decode(of, a, &y) < 0)
		return err_set(err, ERR_BUSY, 0, "not enough memory for the answer");
	for (uint32_t k = 0; k < x.n_labels && i < y.n_labels; k++)
		if (str_eq(x.labels[k].name, y.labels[i].name)) {
			if (!str_eq(x.labels[k].value, y.labels[i].value))
				return 0;
			i++;
		}
	return i == y.n_labels;
}

static int key_is_meant(struct groups_delete *d, struct str key, struct err *err)
{
	if (d->within.p)
		return has_all_labels(key, d->within, &d->arena, err);
	if (d->keys.keys.n > 0)
		return group_keys_has(&d->keys, key);
	return group_filter_key(&d->filter, key, &d->arena, err);
}

static int may_delete(struct groups_delete *d, struct str key, struct err *err)
{
	return permission_for_group(caller_of(d->req), VERB_DELETE, key, &d->arena, err);
}

static void note(struct groups_delete *d, const struct group_brief *g, enum found found)
{
	if (g->slot >= d->cap_ids) {
		uint32_t cap = d->cap_ids ? d->cap_ids : 1024;

		while (cap <= g->slot)
			cap *= 2;
		d->ids = mem_realloc(d->ids, cap * sizeof(*d->ids));
		memset(d->ids + d->cap_ids, 0, (cap - d->cap_ids) * sizeof(*d->ids));
		d->cap_ids = cap;
	}
	d->ids[g->slot] = g->id * 4 + found;
}

/* 0, 1, or -1 with *err. */
static int look_at_key(struct groups_delete *d, struct str key, struct err *err)
{
	int r = key_is_meant(d, key, err);

	return r > 0 ? may_delete(d, key, err) : r;
}

/* False: *err. */
static bool look_at(struct groups_delete *d, const struct group_brief *g)
{
	/* Only here it can be known. What is newer than this list is in no conflict yet. */
	bool other = d->filter.has_conflict && g->conflict != d->filter.conflict;
	int r = other ? 0 : look_at_key(d, group_list_key(&d->some, g), &d->err);

	/*
	 * A group that must not be deleted is an error only if its age and state are meant, too;
	 * the commit finds that out.
	 */
	if (r < 0 && d->err.reason == ERR_FORBIDDEN) {
		d->err.reason = ERR_NONE;
		note(d, g, MAY_NOT);
		return true;
	}
	note(d, g, r > 0 ? MEANT : NOT_MEANT);
	return r >= 0;
}

/* ---- on the committer's thread ---- */

static int wants(void *arg, const struct removal_group *g, struct err *err)
{
	struct groups_delete *d = arg;
	uint64_t found = g->slot < d->cap_ids ? d->ids[g->slot] : 0;
	bool is_seen = found / 4 == g->id;
	const struct group_brief brief = { .pushed_at = g->pushed_at,
					   .failed_at = g->failed_at,
					   .overdue = g->overdue,
					   .conflict = is_seen && d->filter.conflict };

	if (!group_filter_state(&d->filter, &brief, d->removal.now))
		return 0;
	if (!is_seen)
		return look_at_key(d, g->key, err);
	/* Asked again, so that *err names the group that the client may not delete. */
	return found % 4 == MAY_NOT ? may_delete(d, g->key, err) : found % 4 == MEANT;
}

static void goes(void *arg, const struct removal_group *g)
{
	struct groups_delete *d = arg;
	const struct group_brief brief = { .id = g->id, .slot = g->slot };

	picks_offer(&d->picks, (struct place){ 0, g->key }, &brief);
}

static void stays(void *arg, const struct removal_group *g)
{
	struct groups_delete *d = arg;

	if (d->n_left_out++ < LEFT_OUT_SHOWN)
		group_json_add_left_out(&d->left_out, g->key, strbuf_str(&d->family), stays_why,
					&d->arena);
}

static void committed(struct push *push)
{
	struct groups_delete *d = push->done_arg;

	http_worker_post(d->worker->http, &d->task);
}

/* ---- on the worker again ---- */

static bool write_groups(struct groups_delete *d, struct strbuf *b)
{
	picks_finish(&d->picks);
	strbuf_addz(b, "\"groups\":[");
	for (size_t i = 0; i < d->picks.n; i++) {
		arena_reset(&d->arena);
		if (!group_json_add_labels(b, pick_key(&d->picks, &d->picks.list[i]), &d->arena))
			return false;
	}
	strbuf_addc(b, ']');
	if (d->n_left_out > 0) {
		strbuf_addf(b, ",\"left_out_total\":%llu,\"left_out\":[",
			    (unsigned long long)d->n_left_out);
		strbuf_adds(b, strbuf_str(&d->left_out));
		strbuf_addc(b, ']');
	}
	if (d->removal.can_undo) {
		strbuf_addz(b, ",\"undo\":\"");
		undo_add_id(b, d->removal.id);
		strbuf_addc(b, '"');
	}
	strbuf_addc(b, '}');
	return true;
}

static void log_deleted(const struct groups_delete *d)
{
	struct log_count n = log_count(d->removal.n);
	char client[CLIENT_MAX], user[CLIENT_MAX];
	CLEANUP(strbuf_done) struct strbuf said = { 0 }, undo = { 0 };
	const unsigned char *id = d->removal.can_undo ? d->removal.id : NULL;

	client_name(d->worker->api, d->req, client);
	client_user(d->worker->api, d->req, user);
	strbuf_adds(&said, d->said);
	if (id)
		undo_add_id(&undo, id);
	changes_note(d->worker, d->req, "delete", d->removal.n, id);
	log_info(d->family.n ? "a family deleted out of groups" : "groups deleted", "source",
		 client, "request", strbuf_z(&said), LOG_NUMBER("groups"), n.text, "undo",
		 id ? strbuf_z(&undo) : "none", *user ? "user" : NULL, user, NULL);
}

/* A DELETE of a path is answered as plain text, as that of one group. */
static void refuse(struct groups_delete *d)
{
	int status = error_status(&d->err);

	if (d->err.reason == ERR_FORBIDDEN)
		permission_note(d->worker, d->req, &d->err);
	if (!d->within.p) {
		v1_reply_error(d->worker, d->req, &d->err);
		return;
	}
	api_count_as(d->req, HANDLER_DELETE);
	api_reply_error(d->req, status, d->err.msg);
}

static void accept(struct groups_delete *d)
{
	api_count_as(d->req, HANDLER_DELETE);
	http_reply(d->req, 202, NULL);
}

static void answer(struct http_task *task)
{
	struct groups_delete *d = (struct groups_delete *)((char *)task -
							   offsetof(struct groups_delete, task));
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	if (!d->err.reason)
		d->err = d->push.err;
	if (!d->err.reason && !d->removal.dry_run)
		log_deleted(d);
	strbuf_addf(&b, "{\"%s\":%llu,", d->removal.dry_run ? "would_delete" : "deleted",
		    (unsigned long long)d->removal.n);
	if (!d->err.reason && !write_groups(d, &b))
		err_set(&d->err, ERR_BUSY, 0, "not enough memory for the answer");
	if (d->err.reason)
		refuse(d);
	else if (d->within.p)
		accept(d);
	else
		v1_reply(d->worker, d->req, 200, strbuf_str(&b), STR(""));
	drop(d);
}

/* ---- on the background thread ---- */

static void submit(struct groups_delete *d)
{
	struct queue *queue = d->worker->api->queue;

	d->push = (struct push){
		.node = { .bytes = sizeof(*d), .urgent = true },
		.mode = PUSH_REMOVE,
		.now = d->removal.now,
		.removal = &d->removal,
		.done = committed,
		.done_arg = d,
	};
	if (queue_push(queue, &d->push.node) == QUEUE_OK) {
		queue_wake(queue);
		return;
	}
	err_set(&d->err, ERR_BUSY, 0, "write queue is full, try again (--push.queue-size)");
	http_worker_post(d->worker->http, &d->task);
}

static bool step(struct job *job, int64_t until_ns)
{
	struct groups_delete *d = (struct groups_delete *)job;

	do {
		if (!store_list_groups(d->worker->api->store, &d->cursor, &d->some)) {
			submit(d);
			return true;
		}
		for (uint32_t i = 0; i < d->some.n; i++)
			if (!look_at(d, &d->some.list[i])) {
				http_worker_post(d->worker->http, &d->task);
				return true;
			}
	} while (clock_mono_ns() < until_ns);
	return false;
}

/* ---- on the worker ---- */

static struct groups_delete *delete_new(struct api_worker *w, struct http_request *req)
{
	struct groups_delete *d = mem_zalloc(sizeof(*d));
	struct str said;

	d->job = (struct job){ .kind = JOB_PAGE, .step = step };
	d->task.run = answer;
	d->worker = w;
	d->req = req;
	d->removal = (struct removal){
		.wants = wants, .goes = goes, .stays = stays, .arg = d, .now = clock_wall()
	};
	said = target_shown(w->api, http_request_target(req));
	d->said = (struct str){ mem_dup(said.p, said.n), said.n };
	arena_init(&d->arena, ARENA_MAY_FAIL);
	picks_init(&d->picks, SHOWN);
	return d;
}

static void begin(struct groups_delete *d)
{
	if (background_add(d->worker->api->background, &d->job)) {
		return;
	}
	err_set(&d->err, ERR_BUSY, 0, "too many requests of this kind are waiting, try again");
	refuse(d);
	drop(d);
}

/* A misspelt name, as in {instnace=""}, would match every group. */
static int check_selectors(const struct group_filter *f, struct err *err)
{
	if (f->n_selectors == 0)
		return err_set(err, ERR_INVALID, 0,
			       "match[] says which groups: match[]={job=\"x\"}; for all there is "
			       "/api/v1/admin/wipe");
	for (size_t i = 0; i < f->n_selectors; i++) {
		char quoted[128];

		if (selector_matches_empty(f->selectors[i]))
			return err_set(
				err, ERR_INVALID, 0,
				"match[]=%s: at least one matcher must not match the empty "
				"string, since a label that is not there counts as empty",
				str_quote(selector_text(f->selectors[i]), quoted, sizeof(quoted)));
	}
	return 0;
}

/* Reads what both kinds of requests say beside which groups they mean. */
static int read_how(struct groups_delete *d, const struct params *p, struct err *err)
{
	struct str family;
	int expect;

	if (params_flag(p, "dry_run", &d->removal.dry_run, err) < 0)
		return -1;
	expect = params_count(p, "expect", 0, INT64_MAX, &d->removal.expect, err);
	if (expect < 0)
		return -1;
	d->removal.has_expect = expect > 0;
	family = params_get(p, "family");
	if (family.p && family.n == 0)
		return err_set(err, ERR_INVALID, 0, "family has to be the name of a metric");
	if (family.p)
		strbuf_adds(&d->family, family);
	d->removal.family = strbuf_str(&d->family);
	d->removal.can_undo = !d->removal.dry_run;
	undo_new_id(d->removal.id);
	return 0;
}

static int read_request(struct groups_delete *d, struct err *err)
{
	struct params p;
	struct str warning;

	if (v1_params(d->worker, known, ARRAY_LEN(known), true, &p, &warning, err) < 0 ||
	    group_filter_parse(&p, NULL, &d->filter, err) < 0 ||
	    check_selectors(&d->filter, err) < 0)
		return -1;
	return read_how(d, &p, err);
}

/* *body, as sent, is what it is without its Content-Encoding. */
static int read_plain(struct groups_delete *d, struct strbuf *plain, struct str *body,
		      struct err *err)
{
	enum content_coding coding = content_coding_of(
		http_request_header(d->req, "Content-Encoding"));

	if (coding == BODY_IDENTITY)
		return 0;
	if (decompress(coding, *body, d->worker->api->config->body_size, plain, err) < 0)
		return -1;
	*body = strbuf_str(plain);
	return 0;
}

static int read_listed(struct groups_delete *d, struct err *err)
{
	static const char *const how[] = { "family", "dry_run", "expect" };
	const struct key_limits any = { UINT32_MAX, UINT32_MAX, UINT32_MAX, true };
	CLEANUP(strbuf_done) struct strbuf plain = { 0 };
	struct str body = http_request_body(d->req);
	struct params p;
	struct str warning;

	if (v1_params(d->worker, how, ARRAY_LEN(how), true, &p, &warning, err) < 0 ||
	    read_how(d, &p, err) < 0 || read_plain(d, &plain, &body, err) < 0)
		return -1;
	return group_keys_parse(body, &any, caller_of(d->req), &d->arena, &d->keys, err);
}

static void begin_if(struct groups_delete *d, int r, const struct err *err)
{
	if (r == 0) {
		begin(d);
		return;
	}
	v1_reply_error(d->worker, d->req, err);
	drop(d);
}

void api_groups_delete(struct api_worker *w, struct http_request *req)
{
	struct groups_delete *d = delete_new(w, req);
	struct err err;
	int r = read_request(d, &err);

	begin_if(d, r, &err);
}

void api_groups_delete_listed(struct api_worker *w, struct http_request *req)
{
	struct groups_delete *d = delete_new(w, req);
	struct err err;
	int r = read_listed(d, &err);

	begin_if(d, r, &err);
}

void groups_delete_within(struct api_worker *w, struct http_request *req, struct str key)
{
	struct groups_delete *d = delete_new(w, req);

	d->within = (struct str){ mem_dup(key.p, key.n), key.n };
	begin(d);
}
