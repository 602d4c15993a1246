/* GET /api/v1/changes. */
#include "api/changes.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "api/client.h"
#include "api/denied_target.h"
#include "api/endpoints.h"
#include "api/metric_json.h"
#include "api/undo.h"
#include "api/v1_reply.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

enum { TARGET_MAX = 512 };

struct change_kept {
	double at;
	const char *action;
	char peer[CLIENT_MAX], user[CLIENT_MAX];
	struct strbuf target;
	uint64_t n;
	bool has_undo;
	unsigned char undo[UNDO_ID];
};

struct changes {
	pthread_mutex_t lock;
	struct change_kept *list[CHANGES_MAX]; /* a ring; NULL: not used yet */
	size_t n, next;
};

struct changes *changes_new(void)
{
	struct changes *c = mem_zalloc(sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void changes_free(struct changes *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		strbuf_done(&c->list[i]->target);
		free(c->list[i]);
	}
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void copy(char to[CLIENT_MAX], const char *from)
{
	size_t n = strnlen(from, CLIENT_MAX - 1);

	copy_bytes(to, from, n);
	to[n] = '\0';
}

void changes_add(struct changes *c, const char *action, const char *peer, const char *user,
		 struct str target, uint64_t n, const unsigned char *undo)
{
	struct change_kept *k;

	pthread_mutex_lock(&c->lock);
	if (!c->list[c->next])
		c->list[c->next] = mem_zalloc(sizeof(*k));
	k = c->list[c->next];
	c->next = (c->next + 1) % CHANGES_MAX;
	c->n += c->n < CHANGES_MAX;
	k->at = clock_wall();
	k->action = action;
	k->n = n;
	k->has_undo = undo != NULL;
	if (undo)
		memcpy(k->undo, undo, UNDO_ID);
	copy(k->peer, peer);
	copy(k->user, user);
	k->target.n = 0;
	strbuf_add(&k->target, target.p, target.n < TARGET_MAX ? target.n : TARGET_MAX);
	pthread_mutex_unlock(&c->lock);
}

void changes_note(const struct api_worker *w, const struct http_request *req, const char *action,
		  uint64_t n, const unsigned char *undo)
{
	char client[CLIENT_MAX], user[CLIENT_MAX];

	client_name(w->api, req, client);
	client_user(w->api, req, user);
	changes_add(w->api->changes, action, client, user,
		    target_shown(w->api, http_request_target(req)), n, undo);
}

bool changes_find(struct changes *c, const unsigned char *undo, struct strbuf *target,
		  char user[CLIENT_MAX])
{
	bool found = false;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n && !found; i++) {
		const struct change_kept *k = c->list[i];

		found = k->has_undo && memcmp(k->undo, undo, UNDO_ID) == 0;
		if (!found)
			continue;
		strbuf_adds(target, k->target.n ? strbuf_str(&k->target) : STR(""));
		copy(user, k->user);
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

static void add_text(struct strbuf *b, const char *name, struct str text)
{
	if (text.n == 0)
		return;
	json_add_member(b, name);
	json_add_string(b, text);
}

static void write_one(const struct change_kept *k, struct strbuf *b)
{
	strbuf_addz(b, "{\"time\":");
	v1_add_time(b, k->at);
	add_text(b, "action", str_of(k->action));
	add_text(b, "peer", str_of(k->peer));
	add_text(b, "user", str_of(k->user));
	add_text(b, "request", k->target.n ? strbuf_str(&k->target) : STR(""));
	strbuf_addf(b, ",\"groups\":%" PRIu64, k->n);
	if (k->has_undo) {
		strbuf_addz(b, ",\"undo\":\"");
		undo_add_id(b, k->undo);
		strbuf_addc(b, '"');
	}
	strbuf_addc(b, '}');
}

void api_changes(struct api_worker *w, struct http_request *req)
{
	static const char *const known[] = { "limit" };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	struct changes *c = w->api->changes;
	uint64_t limit = 100;
	struct params p;
	struct str warning;
	struct err err;

	if (v1_params(w, known, ARRAY_LEN(known), false, &p, &warning, &err) < 0 ||
	    params_count(&p, "limit", 1, CHANGES_MAX, &limit, &err) < 0) {
		v1_reply_error(w, req, &err);
		return;
	}
	strbuf_addz(&b, "{\"changes\":[");
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n && i < limit; i++) {
		if (i > 0)
			strbuf_addc(&b, ',');
		write_one(c->list[(c->next + CHANGES_MAX - 1 - i) % CHANGES_MAX], &b);
	}
	strbuf_addf(&b, "],\"total\":%zu}", c->n);
	pthread_mutex_unlock(&c->lock);
	v1_reply(w, req, 200, strbuf_str(&b), warning);
}
