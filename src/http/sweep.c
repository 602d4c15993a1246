/*
 * The timers of connections, looked at once a second, and more often when it stops. since_ns is
 *   IDLE       when the last reply was written, or the connection was accepted: --web.idle-timeout;
 *              after a second its buffers are freed
 *   READING    when the first byte of the request came: --web.read-timeout, 408; after a second
 *              the buffers of TLS are freed
 *   HANDSHAKE  when the connection was accepted: --web.read-timeout
 *   REPLYING   when the client last took some of the reply: --web.idle-timeout; when it last took
 *              64 KiB of it: 5 s, while replies hold more memory than --limits.reply-bytes
 *   SKIPPING   when the answer was written: --web.read-timeout
 *   DRAINING   when the last byte was thrown away: 5 s, and 30 s for all of it; 0.2 s when it stops
 * ADMITTING and HANDLING have no timer: the layer above goes on.
 */
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "http/conn.h"

#define SECOND INT64_C(1000000000)

/* The least that a client has to take of its reply in that time, while others have no room. */
enum { LEAST_TAKEN = 64 * 1024 };
static const int64_t SLOW_NS = 5 * SECOND;
static const int64_t DRAIN_NS = 5 * SECOND;
static const int64_t REST_NS = SECOND;
static const int64_t DRAIN_STOPPING_NS = SECOND / 5;

/*
 * A slow reader's socket becomes writable only after much of the kernel's buffer has been sent.
 * Whether the client reads at all shows earlier in how full that buffer is.
 */
static int64_t stalled_for(struct conn *c, int64_t now)
{
	int unsent;

	if (ioctl(c->fd, SIOCOUTQ, &unsent) == 0 && unsent != c->unsent) {
		c->unsent = unsent;
		c->since_ns = now;
	}
	return now - c->since_ns;
}

/*
 * Whether the client takes hardly anything: a byte now and then would keep the memory of its reply
 * from others for as long as it likes.
 */
static bool is_slow(struct conn *c, int64_t now)
{
	int64_t taken = (int64_t)c->given - c->unsent;

	if (taken - c->taken >= LEAST_TAKEN) {
		c->taken = taken;
		c->taken_ns = now;
	}
	return now - c->taken_ns > SLOW_NS;
}

static void look_at_reply(struct conn *c, int64_t now)
{
	const struct http_settings *s = &c->worker->server->settings;
	int64_t stalled = stalled_for(c, now);
	bool slow = is_slow(c, now);

	if (slow && bytes_detached() > s->max_reply_bytes) {
		c->worker->server->replies_cut++;
		conn_close(c);
	} else if (stalled > s->idle_timeout_ns) {
		conn_close(c);
	}
}

/* An idle connection keeps no buffers, since there may be ten thousand of them. */
static void rest(struct conn *c)
{
	if (c->in.p && c->in.start == c->in.end)
		input_done(c);
	reply_done(&c->req.reply);
	if (c->tls)
		conn_tls_rest(c);
}

static void look_at(struct conn *c, int64_t now)
{
	const struct http_settings *s = &c->worker->server->settings;
	int64_t waited = now - c->since_ns;

	switch (c->state) {
	case CONN_IDLE:
		if (waited > s->idle_timeout_ns)
			conn_finish(c, false);
		else if (waited > REST_NS)
			rest(c);
		break;
	case CONN_READING:
		if (waited > s->read_timeout_ns)
			conn_refuse(c, FAULT_LATE);
		else if (waited > REST_NS && c->tls)
			conn_tls_rest(c);
		break;
	case CONN_HANDSHAKE:
		if (waited > s->read_timeout_ns) {
			conn_tls_failed(c);
			conn_close(c);
		}
		break;
	case CONN_REPLYING:
		look_at_reply(c, now);
		break;
	case CONN_SKIPPING:
		if (waited > s->read_timeout_ns)
			conn_close(c);
		break;
	case CONN_DRAINING:
		if (waited > (c->worker->stopping ? DRAIN_STOPPING_NS : DRAIN_NS) ||
		    now > c->drained)
			conn_close(c);
		break;
	default:
		break;
	}
}

void sweep(struct http_worker *w)
{
	int64_t now = clock_mono_ns();
	struct conn *next;

	for (struct conn *c = w->conns; c; c = next) {
		enum conn_state before = c->state;

		next = c->next;
		/* Whoever answers it runs it, and frees it if it has ended. */
		c->running = true;
		look_at(c, now);
		c->running = false;
		if (c->state != before)
			conn_run(c);
	}
}

void sweep_idle(struct http_worker *w)
{
	struct conn *next;

	for (struct conn *c = w->conns; c; c = next) {
		next = c->next;
		if (c->state == CONN_IDLE && conn_peek(c) <= 0) {
			conn_finish(c, false);
		} else if (c->state == CONN_HANDSHAKE && conn_peek(c) <= 0) {
			conn_tls_failed(c);
			conn_close(c);
		} else if (c->state == CONN_SKIPPING) {
			conn_close(c);
		}
		if (c->state == CONN_CLOSED)
			conn_run(c);
	}
}
