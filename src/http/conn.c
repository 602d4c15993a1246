/* A connection: its states, see conn.h, and what moves it from one to the next. Every event ends in
 * conn_run(), which goes on from state to state until the connection has to wait.
 *
 * Sockets are read and written directly, with an event each of libevent's loop to wait for them,
 * with TLS as without. A connection is watched from the first time that it waits, for as long as it
 * is open, so that further requests cost no system calls but reading and writing. While a handler
 * works on a request, bytes of the client are read only as far as the buffer has room.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "http/extra.h"

/* Steps that one connection may take before others have their turn. */
enum { TURNS = 64 };

/* ---- waiting ---- */

void conn_unwatch(struct conn *c)
{
	if (c->watched)
		event_del(&c->readable);
	c->watched = false;
}

static void add_ready(struct http_worker *w, struct conn *c)
{
	c->is_ready = true;
	c->round = w->round;
	c->next_ready = NULL;
	*w->ready_tail = c;
	w->ready_tail = &c->next_ready;
}

/* Lets the connections that are ready go on behind all sockets that can be read now. */
static void turns_are_due(struct http_worker *w)
{
	if (!w->turns_due)
		event_active(w->go_on, EV_TIMEOUT, 0);
	w->turns_due = true;
}

void conn_wait_for_turn(struct conn *c)
{
	if (c->is_ready)
		return;
	add_ready(c->worker, c);
	turns_are_due(c->worker);
}

void conn_ready(struct conn *c)
{
	struct http_worker *w = c->worker;
	const struct timeval now = { 0, 0 };

	if (c->is_ready)
		return;
	add_ready(w, c);
	/* A timer, because libevent handles sockets before timers. */
	if (!event_pending(w->go_on, EV_TIMEOUT, NULL))
		event_add(w->go_on, &now);
}

static void wait_to_write(struct conn *c)
{
	if (!c->waiting && event_add(&c->writable, NULL) < 0)
		conn_close(c);
	else
		c->waiting = true;
}

static void wait_for_bytes(struct conn *c)
{
	if (c->state != CONN_DRAINING && conn_tls_is_stuck(c)) {
		wait_to_write(c);
		return;
	}
	if (c->watched)
		return;
	if (event_add(&c->readable, NULL) < 0) {
		conn_close(c);
		return;
	}
	c->watched = true;
	if (c->tls && conn_tls_in_record(c))
		conn_ready(c);
}

/* ---- the end ---- */

static void unlink_ready(struct http_worker *w, struct conn *c)
{
	struct conn **p = &w->ready;

	while (*p != c)
		p = &(*p)->next_ready;
	*p = c->next_ready;
	if (!*p)
		w->ready_tail = p;
}

static void conn_free(struct conn *c)
{
	struct http_worker *w = c->worker;

	if (c->is_ready)
		unlink_ready(w, c);
	if (c->prev)
		c->prev->next = c->next;
	else
		w->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	if (c->tls)
		conn_tls_free(c);
	input_done(c);
	request_detach(&c->req);
	reply_done(&c->req.reply);
	free(c);
	worker_check_load(w);
	worker_check_stopped(w);
}

/* ---- from state to state ---- */

static bool waits_for_bytes(const struct conn *c)
{
	return c->state == CONN_HANDSHAKE || c->state == CONN_IDLE || c->state == CONN_READING ||
	       c->state == CONN_SKIPPING || c->state == CONN_DRAINING;
}

void conn_run(struct conn *c)
{
	int turns = 0;

	if (c->running)
		return;
	c->running = true;
	while (exchange_step(c))
		if (++turns == TURNS) {
			conn_ready(c);
			break;
		}
	if (waits_for_bytes(c))
		wait_for_bytes(c);
	c->running = false;
	if (c->state == CONN_CLOSED)
		conn_free(c);
}

/* The buffer may not move while a handler reads from it. */
static bool is_fixed(const struct conn *c)
{
	return c->state == CONN_ADMITTING || c->state == CONN_HANDLING || c->state == CONN_REPLYING;
}

static void no_memory(struct conn *c)
{
	if (c->state == CONN_SKIPPING) {
		conn_close(c);
		return;
	}
	c->state = CONN_READING;
	conn_refuse(c, FAULT_MEMORY);
}

static void fill(struct conn *c)
{
	bool fixed = is_fixed(c);

	switch (input_fill(c, fixed)) {
	case FILL_SOME:
		if (c->tls)
			conn_ready(c);
		break;
	case FILL_AGAIN:
		conn_begin_with_record(c);
		if (conn_tls_is_stuck(c))
			conn_unwatch(c);
		break;
	case FILL_MEMORY:
		no_memory(c);
		break;
	case FILL_ENDED:
		conn_begin_with_record(c);
		conn_unwatch(c);
		break;
	case FILL_FULL:
		conn_unwatch(c);
		break;
	}
}

/* OpenSSL has already sent the alert. */
static void handshake_failed(struct conn *c)
{
	conn_tls_failed(c);
	if (c->ended)
		conn_close(c);
	else
		conn_drain_begin(c);
}

static void shake_hands(struct conn *c)
{
	bool write = false;
	int r = conn_tls_handshake(c, &write);

	if (r < 0) {
		handshake_failed(c);
		return;
	}
	if (write != c->waiting) {
		if (write && event_add(&c->writable, NULL) < 0)
			conn_close(c);
		else if (!write)
			event_del(&c->writable);
		c->waiting = write;
	}
	if (r > 0) {
		c->state = CONN_IDLE;
		c->since_ns = clock_mono_ns();
	}
}

void conn_go_on(struct conn *c)
{
	/* What is refused here is run by that, and would be freed if it has ended. */
	c->running = true;
	if (c->state == CONN_HANDSHAKE)
		shake_hands(c);
	if (c->state == CONN_DRAINING)
		conn_drain(c);
	else if (c->state != CONN_HANDSHAKE && c->state != CONN_CLOSED && !c->ended)
		fill(c);
	c->running = false;
	conn_run(c);
}

/*
 * Of a new connection the first byte tells: GET, HEAD, DELETE and OPTIONS take little time. TLS
 * hides it, and a handshake takes as long as a push.
 */
static bool is_patient(struct conn *c)
{
	char first;

	if (!c->known && recv(c->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1) {
		c->known = true;
		c->patient = !memchr("GHDO", first, 4);
	}
	return c->patient;
}

/* ---- the loop's calls ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (is_patient(c))
		conn_wait_for_turn(c);
	else
		conn_go_on(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state == CONN_HANDSHAKE) {
		conn_go_on(c);
		return;
	}
	if (output_write(c) && c->state == CONN_REPLYING)
		conn_replied(c);
	if (conn_tls_is_stuck(c) && waits_for_bytes(c))
		conn_go_on(c);
	else
		conn_run(c);
}

ssize_t conn_peek(const struct conn *c)
{
	char byte;

	if (c->ended)
		return 0;
	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

/*
 * A client that waited to be accepted has sent its request already. libevent accepts connections
 * for as long as there are any, and clients that are answered meanwhile come back: so what takes
 * long waits for its turn, and all do once they have taken as long as a round together.
 */
static void begin(struct http_worker *w, struct conn *c)
{
	int64_t since = c->since_ns;

	c->known = c->patient = c->tls != NULL;
	if (is_patient(c) || w->at_once_ns >= ROUND_NS) {
		conn_wait_for_turn(c);
		return;
	}
	conn_go_on(c);
	w->at_once_ns += clock_mono_ns() - since;
	turns_are_due(w);
}

void conn_new(struct http_worker *w, int fd, const struct sockaddr *address, int length)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->worker = w;
	c->fd = fd;
	c->req.conn = c;
	c->state = w->server->settings.tls_context ? CONN_HANDSHAKE : CONN_IDLE;
	c->since_ns = clock_mono_ns();
	if (length > 0 && (size_t)length <= sizeof(c->address))
		copy_bytes(&c->address, address, (size_t)length);
	if ((c->state == CONN_HANDSHAKE && conn_tls_new(c) < 0) || !extra_enter(c)) {
		if (c->tls)
			conn_tls_free(c);
		close(fd);
		free(c);
		return;
	}
	event_assign(&c->readable, w->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	event_assign(&c->writable, w->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->next = w->conns;
	if (c->next)
		c->next->prev = c;
	w->conns = c;
	worker_check_load(w);
	begin(w, c);
}

/* The worker has ended. */
void conn_free_all(struct http_worker *w)
{
	struct conn *next;

	for (struct conn *c = w->conns; c; c = next) {
		next = c->next;
		c->running = true; /* so that conn_run() does nothing */
		if (c->state == CONN_READING)
			conn_refuse(c, FAULT_STOPPING);
		else if (c->state == CONN_IDLE)
			conn_finish(c, false);
		conn_close(c);
		conn_free(c);
	}
}
