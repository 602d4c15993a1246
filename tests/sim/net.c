#include "sim/net.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "sim/disk_calls.h"

static struct net_socket sockets[NET_SOCKETS];

struct net_socket *net_socket_of(int fd)
{
	return fd >= NET_FIRST_FD && fd < NET_FIRST_FD + NET_SOCKETS ? &sockets[fd - NET_FIRST_FD]
								     : NULL;
}

static bool read_event(int fd, void *to, size_t n, ssize_t *ret);
static bool close_socket(int fd);

static int new_socket(bool is_event)
{
	disk_share_descriptors(read_event, close_socket);
	for (int i = 0; i < NET_SOCKETS; i++) {
		struct net_socket *s = &sockets[i];

		if (s->used || s->sent.p || s->got.p)
			continue;
		*s = (struct net_socket){ .used = true, .is_event = is_event };
		return NET_FIRST_FD + i;
	}
	abort();
}

int net_connect(void)
{
	return new_socket(false);
}

void net_forget(int fd)
{
	struct net_socket *s = net_socket_of(fd);

	strbuf_done(&s->sent);
	strbuf_done(&s->got);
	s->sent = s->got = (struct strbuf){ 0 };
}

unsigned net_open(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < NET_SOCKETS; i++)
		n += sockets[i].used;
	return n;
}

bool net_is_readable(int fd)
{
	const struct net_socket *s = net_socket_of(fd);

	if (s->is_event)
		return s->count > 0;
	return s->gone || s->read < s->arrived || (s->ended && s->read == s->sent.n);
}

bool net_is_writable(int fd)
{
	const struct net_socket *s = net_socket_of(fd);

	return s->gone || s->window > 0;
}

static ssize_t fail(int error)
{
	errno = error;
	return -1;
}

static ssize_t take(struct net_socket *s, void *to, size_t n, bool look)
{
	size_t there = s->arrived - s->read;

	if (n > there)
		n = there;
	if (n > 0)
		memcpy(to, s->sent.p + s->read, n);
	s->read += look ? 0 : n;
	return (ssize_t)n;
}

/* 1: something can be read, if only the end of the connection. */
static int look(const struct net_socket *s)
{
	if (s->gone)
		return (int)fail(ECONNRESET);
	if (s->read < s->arrived)
		return 1;
	return s->ended && s->read == s->sent.n ? 0 : (int)fail(EAGAIN);
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
ssize_t __real_readv(int fd, const struct iovec *iov, int n);
ssize_t __real_recv(int fd, void *to, size_t n, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
int __real_shutdown(int fd, int how);
int __real_ioctl(int fd, unsigned long op, void *arg);
ssize_t __real_write(int fd, const void *from, size_t n);
ssize_t __wrap_readv(int fd, const struct iovec *iov, int n);
ssize_t __wrap_recv(int fd, void *to, size_t n, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_ioctl(int fd, unsigned long op, void *arg);
ssize_t __wrap_write(int fd, const void *from, size_t n);
int __wrap_eventfd(unsigned count, int flags);

ssize_t __wrap_readv(int fd, const struct iovec *iov, int n)
{
	struct net_socket *s = net_socket_of(fd);
	ssize_t got = 0;

	if (!s)
		return __real_readv(fd, iov, n);
	if (look(s) <= 0)
		return s->gone || !s->ended || s->read < s->sent.n ? -1 : 0;
	for (int i = 0; i < n; i++)
		got += take(s, iov[i].iov_base, iov[i].iov_len, false);
	return got;
}

ssize_t __wrap_recv(int fd, void *to, size_t n, int flags)
{
	struct net_socket *s = net_socket_of(fd);
	int r;

	if (!s)
		return __real_recv(fd, to, n, flags);
	r = look(s);
	return r <= 0 ? r : take(s, to, n, flags & MSG_PEEK);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct net_socket *s = net_socket_of(fd);
	ssize_t put = 0;

	if (!s)
		return __real_sendmsg(fd, msg, flags);
	if (s->gone)
		return fail(EPIPE);
	for (size_t i = 0; i < msg->msg_iovlen && s->window > 0; i++) {
		const struct iovec *v = &msg->msg_iov[i];
		size_t n = v->iov_len < s->window ? v->iov_len : s->window;

		strbuf_add(&s->got, v->iov_base, n);
		s->window -= n;
		put += (ssize_t)n;
	}
	return put > 0 ? put : fail(EAGAIN);
}

int __wrap_shutdown(int fd, int how)
{
	struct net_socket *s = net_socket_of(fd);

	if (!s)
		return __real_shutdown(fd, how);
	s->shut = true;
	return 0;
}

/* SIOCOUTQ, how much is not sent yet: nothing, as the client has got all that sendmsg() took. */
int __wrap_ioctl(int fd, unsigned long op, void *arg)
{
	if (!net_socket_of(fd))
		return __real_ioctl(fd, op, arg);
	*(int *)arg = 0;
	return 0;
}

int __wrap_eventfd(unsigned count, int flags)
{
	int fd = new_socket(true);

	(void)flags;
	net_socket_of(fd)->count = count;
	return fd;
}

ssize_t __wrap_write(int fd, const void *from, size_t n)
{
	struct net_socket *s = net_socket_of(fd);
	uint64_t more;

	if (!s)
		return __real_write(fd, from, n);
	memcpy(&more, from, sizeof(more));
	s->count += more;
	return (ssize_t)n;
}

/* NOLINTEND(bugprone-reserved-identifier) */

/* ---- what is shared with files ---- */

static bool read_event(int fd, void *to, size_t n, ssize_t *ret)
{
	struct net_socket *s = net_socket_of(fd);

	if (!s)
		return false;
	memcpy(to, &s->count, sizeof(s->count));
	s->count = 0;
	*ret = (ssize_t)n;
	return true;
}

static bool close_socket(int fd)
{
	struct net_socket *s = net_socket_of(fd);

	if (!s)
		return false;
	s->used = false;
	s->shut = true;
	return true;
}
