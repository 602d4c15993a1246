/*
 * The end of a connection. A socket that is closed with bytes of the client unread, or to which
 * some come afterwards, is reset, and takes a reply from the client that it has not read yet: so
 * what still comes is thrown away for a while (RFC 9112 section 9.6), within a time and a size.
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
	/* Before the client can know of it. */
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

/* Twice what a body may have: who sends that much may not look for a reply before its end. */
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
