/* GET /api/v1/rejections. */
#include "api/rejections.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/client.h"
#include "api/endpoints.h"
#include "api/metric_json.h"
#include "api/v1_reply.h"
#include "base/array.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { TEXT_MAX = 1024 };

struct kept {
	uint64_t host; /* hash of the peer's address */
	double at;
	int status;
	struct strbuf method, peer, user, path, group, why, body;
};

struct rejections {
	pthread_mutex_t lock;
	struct kept *list[REJECTIONS_MAX]; /* the oldest first */
	size_t n;
};

struct rejections *rejections_new(void)
{
	struct rejections *r = mem_zalloc(sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	return r;
}

static void kept_free(struct kept *k)
{
	strbuf_done(&k->method);
	strbuf_done(&k->peer);
	strbuf_done(&k->user);
	strbuf_done(&k->path);
	strbuf_done(&k->group);
	strbuf_done(&k->why);
	strbuf_done(&k->body);
	free(k);
}

void rejections_free(struct rejections *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		kept_free(r->list[i]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void keep(struct strbuf *to, struct str s, size_t max)
{
	if (s.n > 0)
		strbuf_add(to, s.p, s.n < max ? s.n : max);
}

static struct kept *kept_new(const struct rejection *what)
{
	struct kept *k = mem_zalloc(sizeof(*k));

	k->host = client_hash_of(str_of(what->peer));
	k->at = what->at;
	k->status = what->status;
	keep(&k->method, str_of(what->method), TEXT_MAX);
	keep(&k->peer, str_of(what->peer), TEXT_MAX);
	keep(&k->user, str_of(what->user), TEXT_MAX);
	keep(&k->path, what->path, TEXT_MAX);
	keep(&k->group, what->group, TEXT_MAX);
	keep(&k->why, str_of(what->why), TEXT_MAX);
	keep(&k->body, what->body, REJECTION_BODY);
	return k;
}

static void drop(struct rejections *r, size_t at)
{
	kept_free(r->list[at]);
	r->n--;
	move_bytes(&r->list[at], &r->list[at + 1], (r->n - at) * sizeof(r->list[0]));
}

/*
 * Frees the client's oldest rejection if it has its share of the places, otherwise the oldest of
 * all.
 */
static void make_room(struct rejections *r, uint64_t host)
{
	size_t n = 0, oldest = 0;

	for (size_t i = r->n; i > 0; i--)
		if (r->list[i - 1]->host == host) {
			n++;
			oldest = i - 1;
		}
	if (n >= REJECTIONS_OF_PEER)
		drop(r, oldest);
	else if (r->n == REJECTIONS_MAX)
		drop(r, 0);
}

void rejections_add(struct rejections *r, const struct rejection *what)
{
	struct kept *k = kept_new(what);

	pthread_mutex_lock(&r->lock);
	make_room(r, k->host);
	r->list[r->n++] = k;
	pthread_mutex_unlock(&r->lock);
}

static struct str text_of(const struct strbuf *b)
{
	return b->n ? strbuf_str(b) : STR("");
}

static void add_text(struct strbuf *b, const char *name, const struct strbuf *text)
{
	if (text->n == 0)
		return;
	json_add_member(b, name);
	json_add_string(b, text_of(text));
}

static void write_one(const struct kept *k, struct strbuf *b)
{
	struct str body = text_of(&k->body);

	/* Text is not cut within a character. */
	if (body.n == REJECTION_BODY)
		body.n = utf8_cut(body, REJECTION_BODY - 1);
	strbuf_addz(b, "{\"time\":");
	v1_add_time(b, k->at);
	add_text(b, "peer", &k->peer);
	add_text(b, "user", &k->user);
	add_text(b, "method", &k->method);
	add_text(b, "path", &k->path);
	add_text(b, "group", &k->group);
	strbuf_addf(b, ",\"status\":%d", k->status);
	add_text(b, "reason", &k->why);
	json_add_member(b, "body");
	json_add_string(b, body);
	strbuf_addc(b, '}');
}

size_t rejections_write(struct rejections *r, size_t limit, struct strbuf *out)
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = r->n;
	for (size_t i = 0; i < n && i < limit; i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		write_one(r->list[n - 1 - i], out);
	}
	pthread_mutex_unlock(&r->lock);
	return n;
}

void api_rejections(struct api_worker *w, struct http_request *req)
{
	static const char *const known[] = { "limit" };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	uint64_t limit = 100;
	struct params p;
	struct str warning;
	struct err err;
	size_t n;

	if (v1_params(w, known, ARRAY_LEN(known), false, &p, &warning, &err) < 0 ||
	    params_count(&p, "limit", 1, REJECTIONS_MAX, &limit, &err) < 0) {
		v1_reply_error(w, req, &err);
		return;
	}
	strbuf_addz(&b, "{\"rejections\":[");
	n = rejections_write(w->api->rejections, limit, &b);
	strbuf_addf(&b, "],\"total\":%zu}", n);
	v1_reply(w, req, 200, strbuf_str(&b), warning);
}
