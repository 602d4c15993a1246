/* Writing replies: as much as the socket takes at once, and the rest when it takes more. */
#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/conn.h"

enum {
	PARTS = 64,
	SHARE = 256 * 1024 /* bytes that one connection writes before others have their turn */
};

static ssize_t send_some(struct conn *c, struct iovec *iov, int n)
{
	const struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)n };

	return c->tls ? conn_tls_write(c, iov, n) : sendmsg(c->fd, &msg, MSG_NOSIGNAL);
}

/* Waits until the socket takes more, or until other connections have had their turn. */
static void wait_to_write(struct conn *c)
{
	c->since_ns = c->state == CONN_REPLYING ? clock_mono_ns() : c->since_ns;
	if (!c->waiting && event_add(&c->writable, NULL) < 0)
		c->broken = true;
	else
		c->waiting = true;
}

bool output_write(struct conn *c)
{
	struct reply *r = &c->req.reply;
	struct iovec iov[PARTS];
	size_t total = 0;
	int parts = 0;

	while ((parts = reply_next(r, iov, PARTS)) > 0 && !c->broken) {
		ssize_t n = total < SHARE ? send_some(c, iov, parts) : -1;

		if (n >= 0) {
			reply_sent(r, (size_t)n);
			c->given += (uint64_t)n;
			total += (size_t)n;
		} else if (total < SHARE && errno == EINTR) {
			continue;
		} else if (total < SHARE && errno != EAGAIN) {
			c->broken = true;
		} else {
			wait_to_write(c);
			return false;
		}
	}
	c->broken |= parts < 0;
	if (c->waiting) {
		event_del(&c->writable);
		c->waiting = false;
	}
	return !c->broken;
}
