/*
 * What evhttp does not tell: which connections there are, whether one is in the middle of a
 * request, and since when. A connection is seen through its bufferevent's buffers: bytes that
 * arrive begin a request, bytes that evhttp writes without being asked are its own error page.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/internal.h"

enum { SINGLE_MAX = 256 * 1024 };

static uint64_t pointer_hash(const void *p)
{
	return ((uint64_t)(uintptr_t)p >> 4) * 0x9E3779B97F4A7C15u >> 20;
}

static void conn_free(struct conn *c)
{
	struct http_worker *w = c->worker;

	table_remove(&w->by_bev, pointer_hash(c->bev), c);
	if (c->prev)
		c->prev->next = c->next;
	else
		w->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	for (struct conn **p = &w->fixes; *p; p = &(*p)->next_fix)
		if (*p == c) {
			*p = c->next_fix;
			break;
		}
	free(c);
	w->server->connections--;
	worker_check_load(w);
	worker_check_stopped(w);
}

/*
 * The last words on a connection that is about to be closed in the middle of a request. Only once,
 * and only as far as the socket takes them: a client that is gone loses nothing.
 */
static void say(struct conn *c, const char *status, const char *text)
{
	char reply[256];
	int n = snprintf(reply, sizeof(reply),
			 "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
			 "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
			 status, strlen(text), text);

	(void)!send(bufferevent_getfd(c->bev), reply, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	c->state = CONN_REPLYING;
}

/* Who gave up: the client, we because we stop, or we because it has paused for too long? */
static void say_why_unfinished(struct conn *c)
{
	struct http_server *s = c->worker->server;
	char byte;
	ssize_t n = recv(bufferevent_getfd(c->bev), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n == 0) {
		s->malformed++;
		say(c, "400 Bad Request", "unexpected EOF\n");
	} else if (c->worker->stopping) {
		say(c, "503 Service Unavailable", "the gateway is shutting down\n");
	} else if (n > 0 || errno == EAGAIN) {
		s->timed_out++;
		say(c, "408 Request Timeout", "request not complete within --web.idle-timeout\n");
	}
}

static void on_close(struct evhttp_connection *evcon, void *arg)
{
	struct conn *c = arg;

	(void)evcon;
	if (c->state == CONN_READING)
		say_why_unfinished(c);
	conn_free(c);
}

/* Bytes of further requests that a client may send while one is being handled. */
enum { PIPELINED_MAX = 64 * 1024 };

static size_t most_of_a_request(const struct conn *c)
{
	const struct http_settings *s = &c->worker->server->settings;

	return s->max_header_size + s->max_body_size + SINGLE_MAX;
}

/* Not inside the callbacks of a buffer, but before anything is written or read again. */
static void fix_later(struct conn *c)
{
	if (c->to_fix)
		return;
	c->to_fix = true;
	c->next_fix = c->worker->fixes;
	c->worker->fixes = c;
	event_active(c->worker->fix, EV_TIMEOUT, 0);
}

static void on_input(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	if (info->n_added == 0)
		return;
	if (c->state == CONN_HANDLING && evbuffer_get_length(buf) > PIPELINED_MAX)
		bufferevent_disable(c->bev, EV_READ); /* evhttp enables it for the next request */
	if (c->state == CONN_IDLE) {
		c->since_ns = clock_mono_ns();
		c->received = 0;
	}
	if (c->state == CONN_IDLE || c->state == CONN_WAITING)
		c->state = CONN_READING;
	c->received += info->n_added;
	/* evhttp itself would wait for the end of a chunk's length for ever. */
	if (c->state == CONN_READING && evbuffer_get_length(buf) > most_of_a_request(c)) {
		c->overfull = true;
		bufferevent_disable(c->bev, EV_READ);
		fix_later(c);
	}
}

/* evhttp fills its error page in several steps: wait until it is done, before anything is sent. */
static void on_output(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	(void)buf;
	if (info->n_added > 0 && c->state != CONN_REPLYING)
		fix_later(c);
}

/* evhttp makes its connection only after conn_new() returned: find it in the callbacks it has set.
 */
static void conn_bind(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct bufferevent *bev = c->bev;
	void *evcon = NULL;

	(void)fd;
	(void)what;
	bufferevent_getcb(bev, NULL, NULL, NULL, &evcon);
	if (evcon) {
		c->evcon = evcon;
		evhttp_connection_set_closecb(evcon, on_close, c);
	} else {
		conn_free(c); /* evhttp has given it up already */
	}
	bufferevent_decref(bev);
}

struct bufferevent *conn_new(struct event_base *base, void *worker)
{
	struct http_worker *w = worker;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
	struct timeval now = { 0 };
	struct conn *c;

	if (!bev)
		return NULL;
	c = mem_zalloc(sizeof(*c));
	c->worker = w;
	c->bev = bev;
	c->next = w->conns;
	if (c->next)
		c->next->prev = c;
	w->conns = c;
	table_add(&w->by_bev, pointer_hash(bev), c);
	if (++w->server->connections > w->server->settings.max_connections) {
		c->refused = true;
		w->server->refused++;
	}
	evbuffer_add_cb(bufferevent_get_input(bev), on_input, c);
	evbuffer_add_cb(bufferevent_get_output(bev), on_output, c);
	/* Large bodies and scrapes in fewer calls than with libevent's 16 KiB. */
	bufferevent_set_max_single_read(bev, SINGLE_MAX);
	bufferevent_set_max_single_write(bev, SINGLE_MAX);
	bufferevent_incref(bev);
	event_base_once(base, -1, EV_TIMEOUT, conn_bind, c, &now);
	worker_check_load(w);
	return bev;
}

struct conn *conn_of(struct http_worker *w, struct evhttp_connection *evcon)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	uint64_t hash = pointer_hash(bev);
	struct conn *c;

	for (size_t at = table_first(&w->by_bev, hash); (c = table_next(&w->by_bev, hash, &at));)
		if (c->bev == bev)
			return c;
	return NULL;
}

/* A client that is done sending still gets its reply: writing it finds out who is gone. */
static void on_event_while_handling(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	(void)arg;
}

/*
 * evhttp stops reading while a request is handled and starts again with the reply: two system calls
 * each time. Nothing is lost by going on, as long as evhttp does not see what arrives.
 */
void conn_handling(struct conn *c)
{
	c->state = CONN_HANDLING;
	bufferevent_setcb(c->bev, NULL, NULL, on_event_while_handling, c);
	bufferevent_enable(c->bev, EV_READ);
}

/*
 * Writes a reply at once, not after another round of the loop. Not while evhttp is on the stack: it
 * may free the connection.
 */
void conn_write_now(struct conn *c)
{
	struct bufferevent *bev = c->bev;
	struct evbuffer *out = bufferevent_get_output(bev);

	evbuffer_unfreeze(out, 1); /* only the socket may take bytes from it otherwise */
	evbuffer_write(out, bufferevent_getfd(bev));
	evbuffer_freeze(out, 1);
	if (evbuffer_get_length(out) == 0)
		bufferevent_trigger(bev, EV_WRITE, 0);
}

void conn_replied(struct conn *c)
{
	/* What has arrived meanwhile is the next request. */
	size_t waiting = evbuffer_get_length(bufferevent_get_input(c->bev));

	c->state = waiting ? CONN_WAITING : CONN_IDLE;
	c->since_ns = clock_mono_ns();
	c->received = waiting;
}

static void time_out(struct conn *c)
{
	c->worker->server->timed_out++;
	say(c, "408 Request Timeout", "request not complete within --web.read-timeout\n");
	evhttp_connection_free(c->evcon);
}

void conn_sweep(struct http_worker *w)
{
	int64_t late = clock_mono_ns() - w->server->settings.read_timeout_ns;
	struct conn *next;

	for (struct conn *c = w->conns; c; c = next) {
		next = c->next;
		if (c->evcon && (c->state == CONN_READING || c->state == CONN_WAITING) &&
		    c->since_ns < late)
			time_out(c);
	}
}

/* A request that the kernel has and the loop has not yet read. */
static bool has_unread(const struct conn *c)
{
	char byte;

	return recv(bufferevent_getfd(c->bev), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void conn_close_idle(struct http_worker *w)
{
	struct conn *next;

	for (struct conn *c = w->conns; c; c = next) {
		next = c->next;
		if (c->evcon && c->state == CONN_IDLE && !has_unread(c))
			evhttp_connection_free(c->evcon);
	}
}

/* Our words for what evhttp refused by itself, where it says so in HTML. */
static const char *reason_for(struct conn *c, int *status, char *buf, size_t size)
{
	const struct http_settings *s = &c->worker->server->settings;

	switch (*status) {
	case 413:
		snprintf(buf, size,
			 "request body larger than %llu bytes (--limits.body-size), or malformed "
			 "chunks",
			 (unsigned long long)s->max_body_size);
		return "Request Entity Too Large";
	case 417:
		snprintf(buf, size, "only Expect: 100-continue is supported");
		return "Expectation Failed";
	case 400:
		if (c->received > s->max_header_size) {
			*status = 431;
			snprintf(buf, size,
				 "request header larger than %llu bytes (--web.max-header-size)",
				 (unsigned long long)s->max_header_size);
			return "Request Header Fields Too Large";
		}
		snprintf(buf, size, "400 Bad Request");
		return "Bad Request";
	default:
		snprintf(buf, size, "%d", *status);
		return "Error";
	}
}

static void fix_error(struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	char line[16], text[200];
	int status = 0;

	if (evbuffer_copyout(out, line, sizeof(line)) < 12)
		return;
	line[12] = '\0';
	status = (int)strtol(line + 9, NULL, 10);
	if (status < 400) /* 100 Continue */
		return;
	const char *phrase = reason_for(c, &status, text, sizeof(text));

	c->worker->server->malformed++;
	c->state = CONN_REPLYING;
	bufferevent_disable(c->bev, EV_READ);
	evbuffer_unfreeze(out, 1);
	evbuffer_drain(out, evbuffer_get_length(out));
	evbuffer_freeze(out, 1);
	evbuffer_add_printf(out,
			    "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
			    "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
			    status, phrase, strlen(text), text);
}

static void close_overfull(struct conn *c)
{
	c->worker->server->malformed++;
	say(c, "413 Request Entity Too Large",
	    "request larger than --web.max-header-size and --limits.body-size allow\n");
	evhttp_connection_free(c->evcon);
}

void conn_fix_errors(struct http_worker *w)
{
	while (w->fixes) {
		struct conn *c = w->fixes;

		w->fixes = c->next_fix;
		c->next_fix = NULL;
		c->to_fix = false;
		if (c->overfull)
			close_overfull(c);
		else
			fix_error(c);
	}
}

void conn_free_all(struct http_worker *w)
{
	struct conn *next;

	for (struct conn *c = w->conns; c; c = next) {
		next = c->next;
		conn_free(c);
	}
	table_done(&w->by_bev);
}
