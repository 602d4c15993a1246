/* POST /api/v1/undo/ID: brings back what a delete through this API has taken. */
#include "api/undo.h"

#include <stdlib.h>

#include "api/changes.h"
#include "api/client.h"
#include "api/endpoints.h"
#include "api/group_json.h"
#include "api/path.h"
#include "api/permission.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "commit/undo.h"
#include "config/config.h"
#include "config/current_rules.h"
#include "push/push.h"

struct undo_request {
	struct push push;      /* on the way to the committer, */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	struct undo undo;
	struct group_rules *rules; /* the rules that restored groups have to keep; NULL: none */
	struct arena arena;
	struct strbuf left_out; /* JSON: the first groups that were left out */
	uint64_t n_left_out;
};

void undo_new_id(unsigned char id[UNDO_ID])
{
	for (int i = 0; i < UNDO_ID; i += 8) {
		uint64_t n = random_number();

		memcpy(id + i, &n, sizeof(n));
	}
}

void undo_add_id(struct strbuf *b, const unsigned char id[UNDO_ID])
{
	for (int i = 0; i < UNDO_ID; i++)
		strbuf_addf(b, "%02x", id[i]);
}

static bool read_id(struct str text, unsigned char id[UNDO_ID])
{
	if (text.n != 2 * (size_t)UNDO_ID)
		return false;
	for (size_t i = 0; i < UNDO_ID; i++) {
		int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		id[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* The ID after "/api/v1/undo/". */
static struct str id_in_path(struct api_worker *w, struct http_request *req)
{
	return path_behind(http_request_target(req), w->api->config->web_route_prefix,
			   "/api/v1/undo/", &w->reader.arena);
}

/* ---- on the committer's thread ---- */

/* A caller who may not delete a group may not bring it back. */
static int may(void *arg, struct str key, struct err *err)
{
	struct undo_request *u = arg;
	int r;

	arena_reset(&u->arena);
	r = permission_for_group(caller_of(u->req), VERB_DELETE, key, &u->arena, err);
	return r != 0 ? r
		      : err_set(err, ERR_FORBIDDEN, 0,
				"it was not you who could delete this: a group of it has not your "
				"labels");
}

static void left_out(void *arg, struct str key, struct str family, const char *why)
{
	struct undo_request *u = arg;
	struct strbuf *b = &u->left_out;

	if (u->n_left_out++ < LEFT_OUT_SHOWN)
		group_json_add_left_out(b, key, family, why, &u->arena);
}

static int check(void *arg, const struct key *key, const struct family *families, struct err *err)
{
	const struct undo_request *u = arg;
	const struct group_rule *rule;

	return group_rules_find(u->rules, key, &rule, err) < 0
		       ? -1
		       : read_push_check_rule(rule, key, families, err);
}

static void committed(struct push *push)
{
	struct undo_request *u = push->done_arg;

	http_worker_post(u->worker->http, &u->task);
}

/* ---- on the worker again ---- */

static void log_undone(const struct undo_request *u)
{
	struct log_count n = log_count(u->undo.restored), left = log_count(u->n_left_out);
	char client[CLIENT_MAX], user[CLIENT_MAX];

	client_name(u->worker->api, u->req, client);
	client_user(u->worker->api, u->req, user);
	changes_note(u->worker, u->req, "undo", u->undo.restored, NULL);
	log_info("a delete was undone", "source", client, LOG_NUMBER("groups"), n.text,
		 LOG_NUMBER("left_out"), left.text, *user ? "user" : NULL, user, NULL);
}

static void answer(struct http_task *task)
{
	struct undo_request *u = (struct undo_request *)((char *)task -
							 offsetof(struct undo_request, task));
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	/* An undo that failed half-way has brought back some groups, which are logged, too. */
	if (!u->push.err.reason || u->undo.restored > 0)
		log_undone(u);
	if (u->push.err.reason == ERR_FORBIDDEN)
		permission_note(u->worker, u->req, &u->push.err);
	if (u->push.err.reason) {
		v1_reply_error(u->worker, u->req, &u->push.err);
	} else {
		strbuf_addf(&b, "{\"restored\":%llu,\"left_out_total\":%llu,\"left_out\":[",
			    (unsigned long long)u->undo.restored,
			    (unsigned long long)u->n_left_out);
		strbuf_adds(&b, strbuf_str(&u->left_out));
		strbuf_addz(&b, "]}");
		v1_reply(u->worker, u->req, 200, strbuf_str(&b), STR(""));
	}
	strbuf_done(&u->left_out);
	group_rules_unref(u->rules);
	arena_done(&u->arena);
	free(u);
}

/* ---- on the worker ---- */

static void submit(struct undo_request *u)
{
	struct queue *queue = u->worker->api->queue;

	u->push = (struct push){
		.node = { .bytes = sizeof(*u), .urgent = true },
		.mode = PUSH_UNDO,
		.now = u->undo.now,
		.undo = &u->undo,
		.done = committed,
		.done_arg = u,
	};
	if (queue_push(queue, &u->push.node) == QUEUE_OK) {
		queue_wake(queue);
		return;
	}
	err_set(&u->push.err, ERR_BUSY, 0, "write queue is full, try again (--push.queue-size)");
	answer(&u->task);
}

void api_undo(struct api_worker *w, struct http_request *req)
{
	struct undo_request *u;
	unsigned char id[UNDO_ID];
	struct params p;
	struct str warning;
	struct err err;

	if (v1_params(w, NULL, 0, true, &p, &warning, &err) < 0) {
		v1_reply_error(w, req, &err);
		return;
	}
	if (!read_id(id_in_path(w, req), id)) {
		err_set(&err, ERR_NOT_FOUND, 0,
			"there is nothing to be undone under this id: POST /api/v1/undo/ID, with "
			"`undo` of the answer to a delete as ID");
		v1_reply_error(w, req, &err);
		return;
	}
	u = mem_zalloc(sizeof(*u));
	u->task.run = answer;
	u->worker = w;
	u->req = req;
	u->undo = (struct undo){
		.now = clock_wall(),
		.may = may,
		.left_out = left_out,
		.arg = u,
		.hides_others = !caller_sees_all(caller_of(req)),
	};
	memcpy(u->undo.id, id, sizeof(id));
	if (w->api->rules) {
		u->rules = current_rules_get(w->api->rules);
		u->undo.check = check;
	}
	arena_init(&u->arena, ARENA_MAY_FAIL);
	submit(u);
}
