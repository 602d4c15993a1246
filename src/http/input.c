/* Reads into the connection's own buffer, and what does not fit there into a buffer of the worker,
 * from which it is copied. So one call reads everything that the socket has, 64 KiB or more, and an
 * idle connection needs little memory. libevent's buffers are not used: they would read 4 KiB in a
 * call, allocate memory for each, and have to be joined for decoding.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/array.h"
#include "http/conn.h"

enum {
	FIRST = 4 * 1024,  /* of a new buffer: most pushes are smaller, with their headers */
	KEEP = 16 * 1024,  /* a larger one is freed after its request */
	LEAST = 1024,      /* with less free room nothing is read */
	BEHIND = KEEP,     /* bytes that are read behind a request before it is answered */
	FULL = 16 * 1024,  /* as much as a record holds */
	SHARE = 256 * 1024 /* bytes of one body before others have their turn */
};

void input_done(struct conn *c)
{
	free(c->in.p);
	c->in = (struct inbuf){ 0 };
}

/*
 * Moves what is left of a large buffer into a small one: the memory of a large body is no longer
 * counted when that has been answered. Without memory for it, the large one stays.
 */
static void shrink(struct inbuf *in)
{
	size_t left = in->end - in->start, cap = 2 * left > FIRST ? 2 * left : FIRST;
	char *p = malloc(cap);

	if (!p)
		return;
	copy_bytes(p, in->p + in->start, left);
	free(in->p);
	*in = (struct inbuf){ .p = p, .end = left, .cap = cap };
}

void input_drop(struct conn *c, size_t n)
{
	struct inbuf *in = &c->in;

	in->start += n;
	if (in->start < in->end) {
		if (in->cap > KEEP && in->end - in->start <= in->cap / 4)
			shrink(in);
		return;
	}
	in->start = in->end = 0;
	if (in->cap > KEEP)
		input_done(c);
}

/* Makes room for `cap` bytes, counted from the start of the request. */
static bool grow(struct inbuf *in, size_t cap)
{
	char *p;

	if (in->start > 0) {
		move_bytes(in->p, in->p + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	if (cap <= in->cap)
		return true;
	p = realloc(in->p, cap);
	if (!p)
		return false;
	in->p = p;
	in->cap = cap;
	return true;
}

/* The buffer grows with what has arrived, not with what the client announces. */
static size_t wanted(const struct inbuf *in, uint64_t total)
{
	size_t have = in->end - in->start;
	size_t next = have + SHARE > 2 * in->cap ? have + SHARE : 2 * in->cap;

	return total <= SHARE || total < next ? (size_t)total : next;
}

/* The size of the request, known once its body is being read; 0: not known. */
static uint64_t total_of(const struct conn *c)
{
	bool in_body = c->state == CONN_READING && c->req.parse.stage == PARSE_IN_BODY;

	return in_body ? parse_size(&c->req.parse) : 0;
}

static bool make_room(struct conn *c)
{
	struct inbuf *in = &c->in;
	size_t have = in->end - in->start, room = in->cap - in->end;
	uint64_t total = total_of(c);

	if (total > have)
		return room >= total - have || room >= SHARE || grow(in, wanted(in, total));
	if (room >= LEAST)
		return true;
	/* Moving the bytes to the front costs at most as much as reading them did. */
	if (in->start > in->cap / 2)
		return grow(in, in->cap);
	return grow(in, in->cap ? 2 * in->cap : FIRST);
}

static bool append(struct inbuf *in, const char *p, size_t n)
{
	size_t need = in->end - in->start + n;

	if (in->cap - in->end < n && !grow(in, need > 2 * in->cap ? need : 2 * in->cap))
		return false;
	copy_bytes(in->p + in->end, p, n);
	in->end += n;
	return true;
}

static enum filled failed(struct conn *c, ssize_t n)
{
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return FILL_AGAIN;
	c->ended = true;
	c->broken |= n < 0;
	return FILL_ENDED;
}

/*
 * How many bytes may be read into the buffer. Those behind a request that is being answered are not
 * counted, so only a few of them are.
 */
static size_t room_of(const struct conn *c, bool fixed)
{
	const struct inbuf *in = &c->in;
	size_t room = in->cap - in->end;
	size_t behind = in->end - in->start - parse_end(&c->req.parse);

	if (!fixed)
		return room;
	if (behind >= BEHIND)
		return 0;
	return room < BEHIND - behind ? room : BEHIND - behind;
}

static enum filled fill_plain(struct conn *c, bool fixed)
{
	struct inbuf *in = &c->in;
	size_t room = room_of(c, fixed);
	struct iovec iov[2] = { { in->p + in->end, room }, { c->worker->scratch, SCRATCH } };
	bool beside = !fixed && room < SCRATCH;
	ssize_t n = readv(c->fd, iov, beside ? 2 : 1);

	if (n <= 0)
		return failed(c, n);
	if ((size_t)n <= room) {
		in->end += (size_t)n;
	} else {
		in->end += room;
		if (!append(in, c->worker->scratch, (size_t)n - room))
			return FILL_MEMORY;
	}
	return (size_t)n == room + (beside ? SCRATCH : 0) ? FILL_SOME : FILL_AGAIN;
}

static size_t to_come(const struct conn *c)
{
	uint64_t total = total_of(c), have = c->in.end - c->in.start;

	return total > have ? total - have : 0;
}

/* Reads record by record until the socket is empty: the event loop does not know of bytes that
 * OpenSSL has read ahead. */
static enum filled fill_tls(struct conn *c, bool fixed)
{
	struct inbuf *in = &c->in;

	for (size_t total = 0; total < SHARE;) {
		ssize_t n;

		if (room_of(c, fixed) < (fixed ? 1 : LEAST) && (fixed || !make_room(c)))
			return fixed ? FILL_FULL : FILL_MEMORY;
		/* A client that has sent so much at once has more to send. */
		conn_tls_expect(c, total >= FULL ? SHARE : to_come(c));
		n = conn_tls_read(c, in->p + in->end, room_of(c, fixed));
		if (n <= 0)
			return failed(c, n);
		in->end += (size_t)n;
		total += (size_t)n;
		if (conn_tls_drained(c, (size_t)n))
			return FILL_AGAIN;
	}
	return FILL_SOME;
}

enum filled input_fill(struct conn *c, bool fixed)
{
	if (fixed ? room_of(c, fixed) == 0 : !make_room(c))
		return fixed ? FILL_FULL : FILL_MEMORY;
	return c->tls ? fill_tls(c, fixed) : fill_plain(c, fixed);
}

/* Bytes to be thrown away need not be decrypted, so they are read from the socket with TLS, too. */
enum filled input_drain(struct conn *c)
{
	for (size_t total = 0; total < 4 * (size_t)SCRATCH;) {
		ssize_t n = recv(c->fd, c->worker->scratch, SCRATCH, 0);

		if (n <= 0)
			return failed(c, n);
		c->passed += (uint64_t)n;
		total += (size_t)n;
	}
	return FILL_SOME;
}
