/*
 * The load itself: N connections on one epoll, requests that are ready to send, latencies kept
 * one by one. It shares the machine with the server it measures, so a request costs it no more
 * than its system calls.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "response.h"

#define SECOND 1000000000.0

enum {
	READ_SIZE = 256 * 1024,
	/* A slow server is measured over as many answers, if they come within so many times what
	 * was asked; over what there is then, if there is anything. */
	ENOUGH = 3,
	PATIENCE = 10,
	/* Failures in a row, after which there is nothing to measure. */
	HOPELESS = 1000,
	DRAIN_SECONDS = 2,
};

struct conn {
	int fd; /* -1: none */
	bool busy;
	const struct request *req;
	size_t sent;
	int64_t due;
	struct response resp;
};

struct load {
	const struct load_options *o;
	struct load_result *r;
	struct sockaddr_in to;
	int epoll;
	struct conn *conns;
	unsigned *idle; /* stack of connections without a request */
	unsigned n_idle;
	uint64_t started, n_answered;
	unsigned failed_in_a_row;
	size_t cap;
	int64_t begin, last_answer;
	bool measured; /* the time that the rate is of is over */
	char *buf;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void add_latency(struct load *l, int64_t ns)
{
	struct load_result *r = l->r;

	if (r->n_latencies == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 4096;
		r->latencies = must(realloc(r->latencies, l->cap * sizeof(*r->latencies)));
	}
	r->latencies[r->n_latencies++] = ns < 0 ? 0 : (uint32_t)(ns / 1000);
}

static void hang_up(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void finish(struct load *l, struct conn *c)
{
	c->busy = false;
	l->idle[l->n_idle++] = (unsigned)(c - l->conns);
	l->n_answered++;
	l->last_answer = now_ns();
	add_latency(l, l->last_answer - c->due);
}

static void fail(struct load *l, struct conn *c, const char *what)
{
	if (!*l->r->problem)
		snprintf(l->r->problem, sizeof(l->r->problem), "%s", what);
	l->r->failed++;
	l->failed_in_a_row++;
	hang_up(c);
	finish(l, c);
}

/* By a server that has too much to do. */
static void refused(struct load *l, struct conn *c)
{
	l->r->refused++;
	l->failed_in_a_row = 0;
	if (l->o->close || c->resp.close)
		hang_up(c);
	c->busy = false;
	l->idle[l->n_idle++] = (unsigned)(c - l->conns);
}

static void answered(struct load *l, struct conn *c)
{
	struct load_result *r = l->r;
	int class = c->resp.status / 100;

	r->bytes += c->resp.body;
	if (c->resp.status == 503) {
		refused(l, c);
		return;
	}
	if (class != 2) {
		fail(l, c, c->resp.head);
		return;
	}
	if (c->resp.body > 0 && !*r->type) {
		response_header(&c->resp, "Content-Encoding", r->encoding, sizeof(r->encoding));
		response_header(&c->resp, "Content-Type", r->type, sizeof(r->type));
	}
	r->ok++;
	l->failed_in_a_row = 0;
	if (l->o->close || c->resp.close)
		hang_up(c);
	finish(l, c);
}

static int dial(struct load *l, struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				  .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -1;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(c->fd, (struct sockaddr *)&l->to, sizeof(l->to)) < 0 && errno != EINPROGRESS)
		return -1;
	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev);
}

static void send_some(struct load *l, struct conn *c)
{
	while (c->sent < c->req->n) {
		ssize_t n = send(c->fd, c->req->p + c->sent, c->req->n - c->sent, MSG_NOSIGNAL);

		if (n < 0) {
			/* ENOTCONN: the connection is still being made; its event sends. A server
			 * may answer before it has read everything: its words count, not the reset.
			 */
			if (errno != EAGAIN && errno != ENOTCONN && errno != EPIPE &&
			    errno != ECONNRESET)
				fail(l, c, strerrordesc_np(errno));
			return;
		}
		c->sent += (size_t)n;
	}
}

static void start(struct load *l, int64_t due)
{
	struct conn *c = &l->conns[l->idle[--l->n_idle]];

	c->busy = true;
	c->req = &l->o->requests[(l->o->first + l->started++) % l->o->n_requests];
	c->sent = 0;
	c->due = due;
	response_begin(&c->resp);
	if (c->fd >= 0)
		send_some(l, c);
	else if (dial(l, c) < 0)
		fail(l, c, strerrordesc_np(errno));
}

/* The socket has said all it has for now, or the response is complete. */
static void receive(struct load *l, struct conn *c)
{
	for (;;) {
		ssize_t n = recv(c->fd, l->buf, READ_SIZE, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			int error = n < 0 ? errno : 0;

			if (!c->busy)
				hang_up(c);
			else if (response_ended(&c->resp))
				answered(l, c);
			else
				fail(l, c,
				     n < 0 ? strerrordesc_np(error) : "connection closed early");
			return;
		}
		if (!c->busy) { /* words that nobody asked for: a timeout's, before it closes */
			hang_up(c);
			return;
		}
		response_feed(&c->resp, l->buf, (size_t)n);
		if (c->resp.state == RESPONSE_BROKEN) {
			fail(l, c, "not an HTTP response");
			return;
		}
		if (c->resp.state == RESPONSE_COMPLETE) {
			answered(l, c);
			return;
		}
		/* Less than asked for: a stream socket is empty then, and will tell of more. */
		if (n < READ_SIZE)
			return;
	}
}

static void on_event(struct load *l, struct conn *c, uint32_t events)
{
	if (c->fd < 0)
		return;
	if (c->busy && c->sent < c->req->n)
		send_some(l, c);
	if (c->fd >= 0 && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
		receive(l, c);
}

static int64_t due_at(const struct load *l, uint64_t i)
{
	return l->begin + (int64_t)((double)i / l->o->rate * SECOND);
}

static bool may_start(const struct load *l, int64_t now)
{
	if (l->o->total)
		return l->started < l->o->total;
	if (l->o->rate > 0)
		return due_at(l, l->started) < l->begin + (int64_t)(l->o->seconds * SECOND);
	return !l->measured && now < l->begin + (int64_t)(l->o->limit * SECOND);
}

/* Starts what can be; returns nanoseconds until the next is due, or -1: none before an answer. */
static int64_t start_due(struct load *l)
{
	int64_t now = now_ns();

	while (l->n_idle > 0 && may_start(l, now)) {
		int64_t due = l->o->rate > 0 ? due_at(l, l->started) : now;

		if (due > now)
			return due - now;
		start(l, due);
		if (l->failed_in_a_row >= HOPELESS)
			break;
	}
	return -1;
}

static void check_measured(struct load *l)
{
	double seconds = (double)(l->last_answer - l->begin) / SECOND;

	if (l->measured || l->n_answered == 0)
		return;
	if (l->o->total)
		l->measured = l->n_answered >= l->o->total;
	else
		l->measured = seconds >= l->o->seconds * PATIENCE ||
			      (seconds >= l->o->seconds && l->n_answered >= ENOUGH);
	l->r->answered = l->n_answered - l->r->failed;
	l->r->seconds = seconds;
}

static bool over(const struct load *l)
{
	double seconds = (double)(now_ns() - l->begin) / SECOND;
	bool waiting = l->n_idle < l->o->connections;

	if (l->failed_in_a_row >= HOPELESS || seconds >= l->o->limit)
		return true;
	if (l->o->total || l->o->rate > 0)
		return !waiting && !may_start(l, 0);
	/* What was under way is not counted, but the next measurement shall not find it. */
	return l->measured && (!waiting || seconds >= l->r->seconds + DRAIN_SECONDS ||
			       l->r->seconds > 2 * l->o->seconds);
}

static void wait_for_events(struct load *l, int64_t ns)
{
	enum { MOST = 256, TICK = 50 * 1000 * 1000 };
	struct epoll_event events[MOST];
	struct timespec timeout = { .tv_nsec = ns < 0 || ns > TICK ? TICK : ns };
	int n = epoll_pwait2(l->epoll, events, MOST, &timeout, NULL);

	for (int i = 0; i < n; i++)
		on_event(l, events[i].data.ptr, events[i].events);
}

/* Those that never got their answer took at least until now: percentiles must know of them. */
static void count_unanswered(struct load *l)
{
	int64_t now = now_ns();

	for (unsigned i = 0; i < l->o->connections; i++) {
		struct conn *c = &l->conns[i];

		if (c->busy) {
			l->r->unanswered++;
			add_latency(l, now - c->due);
		}
		hang_up(c);
	}
	for (; l->o->rate > 0 && may_start(l, now); l->started++) {
		l->r->unanswered++;
		add_latency(l, now - due_at(l, l->started));
	}
}

static int set_up(struct load *l)
{
	unsigned n = l->o->connections;

	l->to.sin_family = AF_INET;
	l->to.sin_port = htons((uint16_t)l->o->port);
	if (inet_pton(AF_INET, l->o->host, &l->to.sin_addr) != 1)
		return -1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->conns = must(calloc(n, sizeof(*l->conns)));
	l->idle = must(calloc(n, sizeof(*l->idle)));
	l->buf = must(malloc(READ_SIZE));
	for (unsigned i = 0; i < n; i++) {
		l->conns[i].fd = -1;
		l->idle[l->n_idle++] = n - 1 - i;
	}
	return l->epoll < 0 ? -1 : 0;
}

int load_run(const struct load_options *o, struct load_result *ret)
{
	struct load l = { .o = o, .r = ret, .epoll = -1 };
	int r = set_up(&l);

	if (r < 0) {
		snprintf(ret->problem, sizeof(ret->problem), "cannot set up: %s",
			 strerrordesc_np(errno));
	} else {
		l.begin = now_ns();
		while (!over(&l)) {
			int64_t next = start_due(&l);

			wait_for_events(&l, next);
			check_measured(&l);
		}
		count_unanswered(&l);
	}
	if (l.epoll >= 0)
		close(l.epoll);
	free(l.conns);
	free(l.idle);
	free(l.buf);
	return r;
}
