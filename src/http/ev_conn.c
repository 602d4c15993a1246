/*
 * What evhttp does not tell: which connections there are, whether one is in the middle of a
 * request, and since when. A connection is seen through its bufferevent's buffers: bytes that
 * arrive begin a request, bytes that evhttp writes without being asked are its own error page.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/ev_internal.h"

enum { SINGLE_MAX = 256 * 1024 };

/* What is not larger has room, however much others send. */
enum { SMALL_REQUEST = 64 * 1024 };

static const int64_t STALLED_NS = 5 * INT64_C(1000000000);

static uint64_t pointer_hash(const void *p)
{
	return ((uint64_t)(uintptr_t)p >> 4) * 0x9E3779B97F4A7C15u >> 20;
}

static size_t most_of_a_request(const struct conn *c)
{
	const struct http_settings *s = &c->worker->server->settings;

	return s->max_header_size + s->max_body_size + SINGLE_MAX;
}

/* Of what is longer, evhttp throws away what arrives. */
static void set_received(struct conn *c, uint64_t n)
{
	uint64_t most = most_of_a_request(c);
	uint64_t counted = n < most ? n : most;

	c->worker->server->receiving += counted - c->counted;
	c->received = n;
	c->counted = counted;
}

static void conn_free(struct conn *c)
{
	struct http_worker *w = c->worker;

	set_received(c, 0);

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
	free(c->tls);
	free(c);
	w->server->connections--;
	worker_check_load(w);
	worker_check_stopped(w);
}

void conn_refused(struct conn *c, int status, const char *why)
{
	const struct http_handler *h = &c->worker->server->handler;
	struct http_refused what = {
		.status = status,
		.why = why,
		.request_line = { c->line, c->line_known ? strlen(c->line) : 0 },
	};
	char peer[64] = "";

	if (!h->refused)
		return;
	if (c->evcon)
		request_peer(c->evcon, peer, sizeof(peer));
	what.peer = peer;
	h->refused(c->worker->state, &what);
}

/* evhttp takes a line out of the buffer as soon as all of it is there. */
static void note_line(struct conn *c, struct evbuffer *buf)
{
	ev_ssize_t n;
	size_t end;

	if (c->line_known)
		return;
	n = evbuffer_copyout(buf, c->line, sizeof(c->line) - 1);
	c->line[n > 0 ? n : 0] = '\0';
	end = strcspn(c->line, "\r\n");
	c->line_known = end < (size_t)(n > 0 ? n : 0) || end == sizeof(c->line) - 1;
	c->line[end] = '\0';
}

void conn_say(struct conn *c, const char *status, const char *text)
{
	char reply[256];
	int n = snprintf(reply, sizeof(reply),
			 "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
			 "%sConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
			 status, strncmp(status, "503", 3) ? "" : "Retry-After: 1\r\n",
			 strlen(text), text);
	char why[sizeof(reply)];

	snprintf(why, sizeof(why), "%.*s", (int)strcspn(text, "\n"), text);
	conn_refused(c, (int)strtol(status, NULL, 10), why);
	if (c->tls)
		conn_tls_send(c, reply, (size_t)n);
	else
		(void)!send(bufferevent_getfd(c->bev), reply, (size_t)n,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	c->state = CONN_REPLYING;
}

/* More than 0 when the kernel has bytes that the loop has not yet read, 0 at the client's end. */
static ssize_t peek(const struct conn *c)
{
	char byte;

	if (c->tls)
		return conn_tls_peek(c);
	return recv(bufferevent_getfd(c->bev), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

/* Who gave up: the client, we because we stop, or we because it has paused for too long? */
static void say_why_unfinished(struct conn *c)
{
	struct http_server *s = c->worker->server;
	ssize_t n = peek(c);

	if (n == 0) {
		s->malformed++;
		conn_say(c, "400 Bad Request", "unexpected EOF\n");
	} else if (c->worker->stopping) {
		conn_say(c, "503 Service Unavailable", "the gateway is shutting down\n");
	} else if (n > 0 || errno == EAGAIN) {
		s->timed_out++;
		conn_say(c, "408 Request Timeout",
			 "request not complete within --web.idle-timeout\n");
	}
}

static void begin_request(struct conn *c)
{
	c->state = CONN_READING;
	c->since_ns = clock_mono_ns();
	c->line_known = false;
	set_received(c, 0);
}

/* The buffers see nothing of a TLS record that is not complete, but it begins a request. */
static void begin_with_record(struct conn *c)
{
	if (c->state == CONN_IDLE && c->tls && conn_tls_in_record(c))
		begin_request(c);
}

static void on_close(struct evhttp_connection *evcon, void *arg)
{
	struct conn *c = arg;

	(void)evcon;
	begin_with_record(c);
	if (c->state == CONN_READING)
		say_why_unfinished(c);
	if (c->tls)
		conn_tls_close(c);
	conn_free(c);
}

/* Bytes of further requests that a client may send while one is being handled. */
enum { PIPELINED_MAX = 64 * 1024 };

/* Small ones have room, and a large one is not refused for ever. */
static bool is_crowded(const struct conn *c)
{
	struct http_server *s = c->worker->server;
	uint64_t all = s->receiving;

	return all > s->settings.max_receiving && c->received > SMALL_REQUEST &&
	       all - c->counted > SMALL_REQUEST;
}

static void on_input(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	if (info->n_added == 0)
		return;
	if (c->state == CONN_HANDLING && evbuffer_get_length(buf) > PIPELINED_MAX)
		bufferevent_disable(c->bev, EV_READ); /* evhttp enables it for the next request */
	if (c->state == CONN_IDLE)
		begin_request(c);
	else if (c->state == CONN_WAITING)
		c->state = CONN_READING;
	set_received(c, c->received + info->n_added);
	if (c->state != CONN_READING)
		return;
	note_line(c, buf);
	/* evhttp itself would wait for the end of a chunk's length for ever. */
	c->overfull = evbuffer_get_length(buf) > most_of_a_request(c);
	c->crowded = is_crowded(c);
	if (c->overfull || c->crowded) {
		bufferevent_disable(c->bev, EV_READ);
		conn_fix_later(c);
	}
}

/* evhttp fills its error page in several steps: wait until it is done, before anything is sent. */
static void on_output(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	(void)buf;
	if (c->state == CONN_REPLYING)
		c->since_ns = clock_mono_ns();
	else if (info->n_added > 0)
		conn_fix_later(c);
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
		if (c->lost)
			evhttp_connection_free(evcon);
	} else {
		conn_free(c); /* evhttp has given it up already */
	}
	bufferevent_decref(bev);
}

/* Without one, evhttp would make a plain one of its own: not where TLS is spoken. */
static struct bufferevent *make_bufferevent(struct conn *c, struct event_base *base)
{
	struct bufferevent *bev;

	if (!c->worker->server->settings.tls_context)
		return bufferevent_socket_new(base, -1, 0);
	bev = conn_tls_new(c, base);
	if (bev)
		return bev;
	c->lost = true;
	return bufferevent_socket_new(base, -1, 0);
}

struct bufferevent *conn_new(struct event_base *base, void *worker)
{
	struct http_worker *w = worker;
	struct timeval now = { 0 };
	struct conn *c = mem_zalloc(sizeof(*c));
	struct bufferevent *bev;

	c->worker = w;
	c->bev = bev = make_bufferevent(c, base);
	if (!bev) {
		free(c);
		return NULL;
	}
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
 * While a reply is written: evhttp would read on, without an end, were the client to send on and
 * not to read, and as far as the end of a client that has only closed its own side.
 */
void conn_stop_reading(struct bufferevent *bev)
{
	bufferevent_disable(bev, EV_READ);
}

/*
 * Writes a reply at once, not after another round of the loop. Not while evhttp is on the stack: it
 * may free the connection.
 */
void conn_write_now(struct conn *c)
{
	struct bufferevent *bev = c->bev;
	struct evbuffer *out = bufferevent_get_output(bev);

	if (c->tls) {
		conn_stop_reading(bev);
		conn_tls_write_now(c);
		return;
	}
	evbuffer_unfreeze(out, 1); /* only the socket may take bytes from it otherwise */
	evbuffer_write(out, bufferevent_getfd(bev));
	evbuffer_freeze(out, 1);
	/* Reading that is not interrupted costs no system call. */
	if (evbuffer_get_length(out) == 0)
		bufferevent_trigger(bev, EV_WRITE, 0);
	else
		conn_stop_reading(bev);
}

void conn_replied(struct conn *c)
{
	/* What has arrived meanwhile is the next request. */
	size_t waiting = evbuffer_get_length(bufferevent_get_input(c->bev));

	c->state = waiting || (c->tls && conn_tls_in_record(c)) ? CONN_WAITING : CONN_IDLE;
	c->since_ns = clock_mono_ns();
	c->line_known = false;
	set_received(c, waiting);
}

static void time_out(struct conn *c)
{
	c->worker->server->timed_out++;
	conn_say(c, "408 Request Timeout", "request not complete within --web.read-timeout\n");
	evhttp_connection_free(c->evcon);
}

/*
 * While memory is short, who does not read loses what is kept for it. The kernel asks for more only
 * when much of its own buffer has gone: until then it is that which says whether the client reads.
 */
static bool is_cut(struct conn *c, int64_t now)
{
	int unsent;

	if (c->state != CONN_REPLYING ||
	    bytes_detached() <= c->worker->server->settings.max_reply_bytes)
		return false;
	if (ioctl(bufferevent_getfd(c->bev), SIOCOUTQ, &unsent) == 0 && unsent != c->unsent) {
		c->unsent = unsent;
		c->since_ns = now;
	}
	return now - c->since_ns > STALLED_NS;
}

void conn_sweep(struct http_worker *w)
{
	int64_t now = clock_mono_ns();
	int64_t late = now - w->server->settings.read_timeout_ns;
	struct conn *next;

	for (struct conn *c = w->conns; c; c = next) {
		next = c->next;
		begin_with_record(c);
		if (c->evcon && is_cut(c, now)) {
			w->server->replies_cut++;
			evhttp_connection_free(c->evcon);
			continue;
		}
		if (!c->evcon || c->since_ns >= late)
			continue;
		if (c->state == CONN_READING || c->state == CONN_WAITING)
			time_out(c);
		else if (c->state == CONN_HANDSHAKE)
			evhttp_connection_free(c->evcon);
	}
}

void conn_close_idle(struct http_worker *w)
{
	struct conn *next;

	for (struct conn *c = w->conns; c; c = next) {
		next = c->next;
		begin_with_record(c);
		if (c->evcon && (c->state == CONN_IDLE || c->state == CONN_HANDSHAKE) &&
		    peek(c) <= 0)
			evhttp_connection_free(c->evcon);
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
