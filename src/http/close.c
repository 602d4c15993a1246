/*
 * The end of a connection. If a socket is closed while bytes of the client are unread, or if some
 * come afterwards, the connection is reset, and the client may lose a reply that it has not read
 * yet. So for a while, up to a limit of time and size, the gateway reads and drops what still comes
 * (RFC 9112 section 9.6).
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/extra.h"

static const int64_t DRAIN_NS = 30 * INT64_C(1000000000);

void conn_close(struct conn *c)
{
	if (c->state == CONN_CLOSED)
		return;
	conn_unwatch(c);
	if (c->waiting)
		event_del(&c->writable);
	c->waiting = false;
	count_ended(c);
	/*
	 * Counted before close(), so that a client that sees the end and connects again is not
	 * counted twice.
	 */
	extra_leave(c);
	close(c->fd);
	c->state = CONN_CLOSED;
}

void conn_drain_begin(struct conn *c)
{
	shutdown(c->fd, SHUT_WR);
	count_ended(c);
	input_done(c);
	c->state = CONN_DRAINING;
	c->since_ns = clock_mono_ns();
	c->drained = c->since_ns + DRAIN_NS;
}

void conn_finish(struct conn *c, bool more)
{
	if (c->tls)
		conn_tls_end(c);
	if (more && !c->ended)
		conn_drain_begin(c);
	else
		conn_close(c);
}

/* A client that sends more than twice the largest body is not reading its reply: draining ends. */
static bool is_drained(const struct conn *c)
{
	enum { LEAST = 64 * 1024 * 1024 };
	uint64_t max = 2 * c->worker->server->limits.body;

	return c->passed > (max < LEAST ? LEAST : max);
}

void conn_drain(struct conn *c)
{
	enum filled f = input_drain(c);

	if (f == FILL_ENDED || is_drained(c))
		conn_close(c);
	else
		c->since_ns = clock_mono_ns();
}
