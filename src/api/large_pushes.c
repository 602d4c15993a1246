#include "api/large_pushes.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/submit.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"

enum {
	MAX_WAITING = 64,
	/*
	 * Decoding takes some 5 ns a byte, and up to 100 where each line is a family of its own: a
	 * larger body would hold up the worker's other requests.
	 */
	LARGE = 64 * 1024,
	LARGE_COMPRESSED = 8 * 1024,
};

#define KEPT_NS INT64_C(1000000000)

struct large_push {
	struct http_task task; /* first; back to the worker */
	struct large_push *next;
	struct api_worker *worker;
	struct http_request *req;
	struct push_request request;
	int64_t start_ns;
	struct push *push; /* NULL: refused */
	struct push_refusal refusal;
	char key_path[];
};

struct large_pushes {
	const struct config *config;
	struct current_rules *rules;
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct large_push *first, **last;
	unsigned n_waiting, n_decoding;
	uint64_t n_done, seen; /* n_done when large_pushes_beats() was called last */
	bool stopped;
	unsigned n_threads;
	pthread_t threads[];
};

bool large_pushes_is_one(struct push_request *r, const struct config *c, struct strbuf *plain)
{
	size_t max = c->body_size < LARGE ? c->body_size : LARGE;
	struct err err;

	if (r->coding == BODY_IDENTITY)
		return r->body.n > LARGE;
	if (r->body.n > LARGE_COMPRESSED)
		return true;
	/* A few KB may become all that --limits.body-size allows. */
	if (decompress(r->coding, r->body, max, plain, &err) < 0)
		return err.reason == ERR_TOO_LARGE;
	r->body = plain->n ? strbuf_str(plain) : STR("");
	r->coding = BODY_IDENTITY;
	return false;
}

/* On the worker again. */
static void finish(struct http_task *task)
{
	struct large_push *p = (struct large_push *)task;

	if (p->push)
		submit_push(p->worker, p->req, p->push, p->start_ns);
	else if (p->request.dry_run)
		submit_refuse_dry_run(p->req, &p->refusal.err);
	else
		submit_refuse(p->worker, p->req, p->request.mode, strbuf_str(&p->refusal.group),
			      &p->refusal.err, p->refusal.why, p->start_ns);
	strbuf_done(&p->refusal.group);
	free(p);
}

/*
 * Waits for a push. Large pushes follow one another or are rare, so the memory of one is kept for a
 * second.
 */
static void wait_for_some(struct large_pushes *l, struct push_reader *reader)
{
	int64_t until = clock_mono_ns() + KEPT_NS;
	bool in_time = true;

	while (in_time && !l->first && !l->stopped)
		in_time = clock_wait(&l->some, &l->lock, until);
	if (!in_time)
		push_reader_shrink(reader);
	while (!l->first && !l->stopped)
		pthread_cond_wait(&l->some, &l->lock);
}

/* Called with the lock held. NULL: stopped, and all pushes have been taken. */
static struct large_push *take(struct large_pushes *l, struct push_reader *reader)
{
	struct large_push *p;

	wait_for_some(l, reader);
	p = l->first;
	if (!p)
		return NULL;
	l->first = p->next;
	if (!l->first)
		l->last = &l->first;
	l->n_waiting--;
	l->n_decoding++;
	return p;
}

static void *decode_main(void *arg)
{
	struct large_pushes *l = arg;
	struct push_reader reader;
	struct large_push *p;

	push_reader_init(&reader, l->config, l->rules);
	pthread_mutex_lock(&l->lock);
	while ((p = take(l, &reader))) {
		pthread_mutex_unlock(&l->lock);
		p->push = read_push(&reader, &p->request, &p->refusal);
		arena_reset(&reader.arena);
		http_worker_post(p->worker->http, &p->task);
		http_wake_workers();
		pthread_mutex_lock(&l->lock);
		l->n_decoding--;
		l->n_done++;
	}
	pthread_mutex_unlock(&l->lock);
	push_reader_done(&reader);
	return NULL;
}

struct large_pushes *large_pushes_start(const struct config *config, struct current_rules *rules,
					unsigned threads, struct err *err)
{
	struct large_pushes *l = mem_zalloc(sizeof(*l) + threads * sizeof(*l->threads));

	l->config = config;
	l->rules = rules;
	l->last = &l->first;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->some, NULL);
	for (; l->n_threads < threads; l->n_threads++) {
		if (pthread_create(&l->threads[l->n_threads], NULL, decode_main, l) != 0) {
			err_set(err, ERR_SYSTEM, 0, "cannot start a thread that decodes pushes");
			large_pushes_stop(l);
			return NULL;
		}
		pthread_setname_np(l->threads[l->n_threads], "decode");
	}
	return l;
}

void large_pushes_stop(struct large_pushes *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stopped = true;
	pthread_mutex_unlock(&l->lock);
	pthread_cond_broadcast(&l->some);
	for (unsigned i = 0; i < l->n_threads; i++)
		pthread_join(l->threads[i], NULL);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->some);
	free(l);
}

bool large_pushes_beats(struct large_pushes *l)
{
	bool alive;

	pthread_mutex_lock(&l->lock);
	alive = l->n_done != l->seen || l->n_waiting + l->n_decoding == 0;
	l->seen = l->n_done;
	pthread_mutex_unlock(&l->lock);
	return alive;
}

static struct large_push *large_push_new(struct api_worker *w, struct http_request *req,
					 const struct push_request *request, int64_t start_ns)
{
	struct large_push *p = mem_alloc(sizeof(*p) + request->key_path.n);

	*p = (struct large_push){
		.task = { .run = finish },
		.worker = w,
		.req = req,
		.request = *request,
		.start_ns = start_ns,
	};
	copy_bytes(p->key_path, request->key_path.p, request->key_path.n);
	p->request.key_path.p = p->key_path;
	return p;
}

bool large_pushes_add(struct large_pushes *l, struct api_worker *w, struct http_request *req,
		      const struct push_request *request, int64_t start_ns)
{
	struct large_push *p = large_push_new(w, req, request, start_ns);
	bool room;

	pthread_mutex_lock(&l->lock);
	room = l->n_waiting < MAX_WAITING && !l->stopped;
	if (room) {
		*l->last = p;
		l->last = &p->next;
		l->n_waiting++;
	}
	pthread_mutex_unlock(&l->lock);
	if (!room) {
		free(p);
		return false;
	}
	pthread_cond_signal(&l->some);
	return true;
}
