/*
 * DELETE /api/v1/groups: deletes the groups that a selector matches, or one family out of them;
 * POST /api/v1/groups/delete those that the body lists; and DELETE of a group with recursive=true.
 * Which keys match is found out on the background thread, since regular expressions may take long.
 * The committer decides the rest, so that no push comes between.
 */
#include <stdlib.h>

#include "api/denied_target.h"
#include "api/endpoints.h"
#include "api/error_status.h"
#include "api/group_json.h"
#include "api/groups_delete.h"
#include "api/groups_delete_job.h"
#include "api/permission.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"

enum { SHOWN = 100 };

static const char stays_why[] = "it is summed, and the metric is made of what its sources have "
				"counted, and would come again: end the sources by DELETE of their "
				"paths, or delete the group";

enum found { NOT_MEANT, MEANT, MAY_NOT };

void groups_delete_drop(struct groups_delete *d)
{
	group_filter_done(&d->filter);
	free((char *)d->within.p);
	group_keys_done(&d->keys);
	strbuf_done(&d->plain);
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
	/* Conflicts are only known here; a group that is newer than this list is in none yet. */
	bool other = d->filter.has_conflict && g->conflict != d->filter.conflict;
	int r = other ? 0 : look_at_key(d, group_list_key(&d->some, g), &d->err);

	/*
	 * A group that the caller may not delete is an error only if its age and state match, too,
	 * which the committer finds out.
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

/* True: all groups have been looked at. */
static bool look_at_some(struct groups_delete *d)
{
	if (!store_list_groups(d->worker->api->store, &d->cursor, &d->some))
		return true;
	for (uint32_t i = 0; i < d->some.n; i++)
		if (!look_at(d, &d->some.list[i]))
			return true;
	return false;
}

static bool step(struct job *job, int64_t until_ns)
{
	struct groups_delete *d = (struct groups_delete *)job;
	bool all;

	do {
		int r = d->unread ? groups_delete_read_list(d) : 0;

		all = r < 0 || (!d->unread && look_at_some(d));
		d->unread &= r == 0;
	} while (!all && clock_mono_ns() < until_ns);
	if (all && d->err.reason)
		http_worker_post(d->worker->http, &d->task);
	else if (all)
		submit(d);
	return all;
}

/* ---- on the worker ---- */

static struct groups_delete *delete_new(struct api_worker *w, struct http_request *req)
{
	struct groups_delete *d = mem_zalloc(sizeof(*d));
	struct str said;

	d->job = (struct job){ .kind = JOB_PAGE, .step = step };
	d->task.run = groups_delete_answer;
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
	groups_delete_refuse(d);
	groups_delete_drop(d);
}

static void begin_if(struct groups_delete *d, int r, struct err *err)
{
	if (r == 0) {
		begin(d);
		return;
	}
	error_is_want_of_memory(&d->arena, err);
	v1_reply_error(d->worker, d->req, err);
	groups_delete_drop(d);
}

void api_groups_delete(struct api_worker *w, struct http_request *req)
{
	struct groups_delete *d = delete_new(w, req);
	struct err err;
	int r = groups_delete_read(d, &err);

	begin_if(d, r, &err);
}

void api_groups_delete_listed(struct api_worker *w, struct http_request *req)
{
	struct groups_delete *d = delete_new(w, req);
	struct err err;
	int r = groups_delete_read_listed(d, &err);

	begin_if(d, r, &err);
}

void groups_delete_within(struct api_worker *w, struct http_request *req, struct str key)
{
	struct groups_delete *d = delete_new(w, req);

	d->within = (struct str){ mem_dup(key.p, key.n), key.n };
	begin(d);
}
