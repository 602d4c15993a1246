/*
 * What a request costs in system calls and allocations, and what becomes of it when one of these
 * fails. The linker puts wrappers around the calls of src/http (tests/meson.build); epoll_ctl() is
 * libevent's, and found here first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "lib/http_serve.h"
#include "lib/run.h"

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
ssize_t __real_readv(int fd, const struct iovec *iov, int n);
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
int __real_event_add(struct event *ev, const struct timeval *timeout);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
ssize_t __wrap_readv(int fd, const struct iovec *iov, int n);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
int __wrap_event_add(struct event *ev, const struct timeval *timeout);

static atomic_uint allocations, frees, reads, writes, changes;
static atomic_ullong arrived; /* bytes */
static atomic_llong held;     /* bytes of memory */
/* How many of them fail from now on. */
static atomic_int failing_callocs, failing_reallocs, failing_adds;
/* Of the worker's thread alone. */
static _Thread_local bool counted;

static bool fails(atomic_int *which)
{
	if (!counted || *which == 0)
		return false;
	--*which;
	return true;
}

void *__wrap_malloc(size_t size)
{
	void *p = __real_malloc(size);

	allocations += counted;
	held += counted ? (long long)malloc_usable_size(p) : 0;
	return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *p = fails(&failing_callocs) ? NULL : __real_calloc(n, size);

	allocations += counted;
	held += counted ? (long long)malloc_usable_size(p) : 0;
	return p;
}

void *__wrap_realloc(void *p, size_t size)
{
	size_t before = malloc_usable_size(p);
	void *grown;

	allocations += counted;
	grown = fails(&failing_reallocs) ? NULL : __real_realloc(p, size);
	if (counted && grown)
		held += (long long)malloc_usable_size(grown) - (long long)before;
	return grown;
}

void __wrap_free(void *p)
{
	frees += counted;
	held -= counted ? (long long)malloc_usable_size(p) : 0;
	__real_free(p);
}

ssize_t __wrap_readv(int fd, const struct iovec *iov, int n)
{
	ssize_t got = __real_readv(fd, iov, n);

	reads += counted;
	arrived += counted && got > 0 ? (unsigned long long)got : 0;
	return got;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	writes += counted;
	return __real_sendmsg(fd, msg, flags);
}

int __wrap_event_add(struct event *ev, const struct timeval *timeout)
{
	return fails(&failing_adds) ? -1 : __real_event_add(ev, timeout);
}

/* NOLINTEND(bugprone-reserved-identifier) */

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	changes += counted;
	return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}

/* ---- a server whose answers come at once, later, or in pieces ---- */

struct answer {
	struct http_task task;
	struct http_request *req;
};

static struct http_worker *worker;
static struct answer later;
static _Atomic(struct http_request *) waits; /* for a request to /release */

static void *worker_new(void *arg, struct http_worker *w)
{
	worker = w;
	return arg;
}

static void answer(struct http_task *task)
{
	http_reply(((struct answer *)task)->req, 200, NULL);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void handle(void *state, struct http_request *req)
{
	struct str target = http_request_target(req);

	(void)state;
	counted = true; /* from the first request on */
	if (str_eq(target, STR("/later"))) {
		later = (struct answer){ { NULL, answer }, req };
		http_worker_defer(worker, &later.task);
		return;
	}
	if (str_eq(target, STR("/waits"))) {
		waits = req;
		return;
	}
	if (str_eq(target, STR("/release")))
		http_reply(waits, 200, NULL);
	if (str_eq(target, STR("/pieces")))
		for (int i = 0; i < 100; i++)
			http_reply_ref(req, STR("piece"), nothing, NULL);
	else
		http_reply_add(req, STR("here\n"));
	http_reply(req, 200, "text/plain");
}

static const struct http_handler handler = { .worker_new = worker_new,
					     .worker_free = http_serve_worker_free,
					     .handle = handle };

static struct http_server *server;
static struct sockaddr_in address;

static void start(void)
{
	log_init(LOG_ERROR, LOG_LOGFMT);
	server = http_serve((struct http_settings){ 0 }, &handler, 0, &address);
}

static void stop(void)
{
	http_serve_end(server);
}

/* ---- a client ---- */

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		ck_assert_int_gt(sent, 0);
		p += sent;
		n -= (size_t)sent;
	}
}

/* A short reply, as a string; "" when the server has closed. */
static const char *reply(int fd)
{
	static char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static const char *ask(int fd, const char *request)
{
	send_all(fd, request, strlen(request));
	return reply(fd);
}

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

#define OK "HTTP/1.1 200 OK\r\n"
#define OUT_OF_MEMORY "HTTP/1.1 503 Service Unavailable\r\n"

static const char push[] = "PUT %s HTTP/1.1\r\nHost: 127.0.0.1:9091\r\n"
			   "User-Agent: Python-urllib/3.11\r\nAccept-Encoding: identity\r\n"
			   "Content-Type: text/plain; version=0.0.4\r\nContent-Length: 300\r\n\r\n"
			   "%-299d\n";

static void costs(const char *path)
{
	char request[1024];
	int fd = connected();

	snprintf(request, sizeof(request), push, path, 1);
	for (int i = 0; i < 20; i++)
		ck_assert(begins(ask(fd, request), OK));
	allocations = reads = writes = changes = 0;
	for (int i = 0; i < 1000; i++)
		ck_assert(begins(ask(fd, request), OK));
	ck_assert_uint_eq(reads, 1000);
	ck_assert_uint_eq(writes, 1000);
	ck_assert_uint_eq(changes, 0);
	ck_assert_uint_eq(allocations, 0);
	close(fd);
}

START_TEST(a_push_on_a_kept_connection)
{
	costs("/push");
}
END_TEST

START_TEST(a_push_that_is_answered_later)
{
	costs("/later");
}
END_TEST

/* Freed within some seconds, and made again; the other connection only keeps the test from
 * sleeping. */
START_TEST(a_connection_at_rest_keeps_no_buffers)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	int quiet = connected(), busy = connected();
	unsigned before;

	ck_assert(begins(ask(quiet, request), OK));
	for (int i = 0; i < 20; i++)
		ck_assert(begins(ask(busy, request), OK));
	for (before = frees; frees == before;)
		ck_assert(begins(ask(busy, request), OK));
	ck_assert(begins(ask(quiet, request), OK));
	close(quiet);
	close(busy);
}
END_TEST

/* How many readings it takes is in test_http_reads.c. */
START_TEST(a_large_body)
{
	enum { SIZE = 4 << 20 };
	char *request = malloc(SIZE + 200);
	int fd = connected();
	int n = snprintf(request, 200,
			 "PUT /push HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", SIZE);

	memset(request + n, '#', SIZE);
	ck_assert(begins(ask(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	allocations = reads = 0;
	send_all(fd, request, (size_t)n + SIZE);
	ck_assert(begins(reply(fd), OK));
	ck_assert_uint_lt(allocations, 20); /* it grows by doubling */
	free(request);
	close(fd);
}
END_TEST

START_TEST(no_memory_for_a_body)
{
	enum { SIZE = 1 << 20 };
	static char body[SIZE];
	int fd = connected();

	ck_assert(begins(ask(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	failing_reallocs = 1;
	send_all(fd, "PUT /push HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n", 57);
	send_all(fd, body, SIZE);
	const char *r = reply(fd);

	ck_assert_msg(begins(r, OUT_OF_MEMORY) && strstr(r, "Retry-After: 1\r\n") &&
			      strstr(r, "out of memory, try again\n"),
		      "%s", r);
	close(fd);
	fd = connected();
	ck_assert(begins(ask(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	close(fd);
}
END_TEST

enum { CHUNK = 5 << 18 };

/*
 * A chunked body leaves room behind it, since nobody knew how long it would be. `behind` comes with
 * its last bytes.
 */
static void send_chunk(int fd, const char *path, const char *behind)
{
	static char body[CHUNK];
	char text[200];

	send_all(fd, text,
		 (size_t)snprintf(text, sizeof(text),
				  "PUT %s HTTP/1.1\r\nHost: x\r\n"
				  "Transfer-Encoding: chunked\r\n\r\n%x\r\n",
				  path, CHUNK));
	send_all(fd, body, CHUNK);
	send_all(fd, text, (size_t)snprintf(text, sizeof(text), "\r\n0\r\n\r\n%s", behind));
}

/* Nobody counts it any more: a client could have as much for each of its connections. */
START_TEST(a_large_body_leaves_no_large_buffer)
{
	int fd = connected();
	long long before;

	ck_assert(begins(ask(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	before = held;
	send_chunk(fd, "/push", "G");
	ck_assert(begins(reply(fd), OK));
	ck_assert_int_lt(held - before, INT64_C(64) * 1024);
	ck_assert(begins(ask(fd, "ET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	close(fd);
}
END_TEST

START_TEST(little_is_read_behind_a_request_that_waits)
{
	enum { MORE = 512 * 1024, LEAST = 64 * 1024 };
	int fd = connected(), other = connected();
	char *more = malloc(MORE);
	unsigned long long before;

	ck_assert(begins(ask(other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	send_chunk(fd, "/waits", "");
	while (!waits)
		sched_yield();
	before = arrived;
	memset(more, '\n', MORE); /* empty lines in front of a request */
	send_all(fd, more, MORE);
	for (int i = 0; i < 100; i++)
		ck_assert(begins(ask(other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	ck_assert_uint_le(arrived - before, LEAST + 100 * 100);
	ck_assert(begins(ask(other, "GET /release HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	ck_assert(begins(reply(fd), OK));
	ck_assert(begins(ask(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	free(more);
	close(fd);
	close(other);
}
END_TEST

/* Never a 200 with a part of what it should say. */
START_TEST(no_memory_for_a_reply)
{
	int fd = connected();

	ck_assert(begins(ask(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	failing_reallocs = 1;
	const char *r = ask(fd, "GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n");

	ck_assert_msg(begins(r, OUT_OF_MEMORY) && strstr(r, "out of memory, try again"), "%s", r);
	ck_assert(begins(ask(fd, "GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	close(fd);
}
END_TEST

/* There is nobody to tell it to: it is closed, and the next one is served. */
START_TEST(no_memory_for_a_connection)
{
	atomic_int *const which[] = { &failing_callocs, &failing_adds };
	int first = connected(), fd;

	/* With the second answer it is sure to be watched. */
	for (int i = 0; i < 2; i++)
		ck_assert(begins(ask(first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	*which[_i] = 1;
	fd = connected();
	ck_assert_str_eq(reply(fd), "");
	close(fd);
	ck_assert(begins(ask(first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	fd = connected();
	ck_assert(begins(ask(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), OK));
	ck_assert_uint_eq(http_server_stats(server).connections, 2);
	close(fd);
	close(first);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("http_costs");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, a_push_on_a_kept_connection);
	tcase_add_test(tc, a_push_that_is_answered_later);
	tcase_add_test(tc, a_connection_at_rest_keeps_no_buffers);
	tcase_add_test(tc, a_large_body);
	tcase_add_test(tc, a_large_body_leaves_no_large_buffer);
	tcase_add_test(tc, little_is_read_behind_a_request_that_waits);
	tcase_add_test(tc, no_memory_for_a_body);
	tcase_add_test(tc, no_memory_for_a_reply);
	tcase_add_loop_test(tc, no_memory_for_a_connection, 0, 2);
	return run_cases("http_costs", tc);
}
