/*
 * What a connection costs in system calls, with and without TLS, counted where they are made: in
 * http/ or in OpenSSL. And what OpenSSL allocates.
 */
#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "lib/certs.h"
#include "lib/http_serve.h"
#include "lib/run.h"

static atomic_uint reads, writes, changes, allocations;
/* Of the worker's thread alone, and of its connections: it also has an eventfd and an epoll. */
static _Thread_local bool counted;

static bool is_socket(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	return counted && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

ssize_t read(int fd, void *p, size_t n)
{
	reads += is_socket(fd);
	return syscall(SYS_read, fd, p, n);
}

ssize_t readv(int fd, const struct iovec *iov, int n)
{
	reads += is_socket(fd);
	return syscall(SYS_readv, fd, iov, n);
}

ssize_t write(int fd, const void *p, size_t n)
{
	writes += is_socket(fd);
	return syscall(SYS_write, fd, p, n);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	writes += is_socket(fd);
	return syscall(SYS_sendmsg, fd, msg, flags);
}

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	changes += counted;
	return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}

/* Buffers: OpenSSL also takes some bytes for each record that it writes or reads. */
enum { LARGE = 1024 };

static void *count_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations += counted && n >= LARGE;
	return malloc(n);
}

static void *count_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations += counted && n >= LARGE;
	return realloc(p, n);
}

static void uncounted_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* ---- a server, whose worker can be held up ---- */

static sem_t held, go_on;

static void handle(void *state, struct http_request *req)
{
	(void)state;
	counted = true; /* from the first request on */
	if (str_eq(http_request_target(req), STR("/hold"))) {
		sem_post(&held);
		sem_wait(&go_on);
	}
	http_reply_add(req, STR("here\n"));
	http_reply(req, 200, "text/plain");
}

static const struct http_handler handler = { .worker_new = http_serve_worker_new,
					     .worker_free = http_serve_worker_free,
					     .handle = handle };

enum { BODY = 160 * 1024 };

static struct cert cert;
static SSL_CTX *server_ctx, *client_ctx;
static struct http_server *server;
static struct sockaddr_in address;

static SSL_CTX *next_context(void *arg)
{
	(void)arg;
	SSL_CTX_up_ref(server_ctx);
	return server_ctx;
}

static void start(bool tls)
{
	log_init(LOG_ERROR, LOG_LOGFMT);
	cert_make(&cert, &(struct cert_spec){ .name = "localhost" });
	server_ctx = SSL_CTX_new(TLS_server_method());
	client_ctx = SSL_CTX_new(TLS_client_method());
	ck_assert(SSL_CTX_use_certificate(server_ctx, cert.x509));
	ck_assert(SSL_CTX_use_PrivateKey(server_ctx, cert.key));
	sem_init(&held, 0, 0);
	sem_init(&go_on, 0, 0);
	/* All of a body is in the socket before it is read. */
	server = http_serve((struct http_settings){ .tls_context = tls ? next_context : NULL },
			    &handler, 2 * BODY, &address);
}

static void stop(void)
{
	http_serve_end(server);
	SSL_CTX_free(server_ctx);
	SSL_CTX_free(client_ctx);
	cert_done(&cert);
}

/* ---- a client ---- */

struct client {
	int fd;
	SSL *ssl; /* NULL: plain */
};

static struct client connected(bool tls)
{
	struct client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	ck_assert_int_eq(connect(c.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (!tls)
		return c;
	c.ssl = SSL_new(client_ctx);
	SSL_set_fd(c.ssl, c.fd);
	ck_assert_int_eq(SSL_connect(c.ssl), 1);
	return c;
}

static void leave(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
}

static void send_all(const struct client *c, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = c->ssl ? SSL_write(c->ssl, p, (int)n)
				      : send(c->fd, p, n, MSG_NOSIGNAL);

		ck_assert_int_gt(sent, 0);
		p += sent;
		n -= (size_t)sent;
	}
}

static void expect_ok(const struct client *c)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\n";
	char buf[4096];
	ssize_t n = c->ssl ? SSL_read(c->ssl, buf, sizeof(buf)) : recv(c->fd, buf, sizeof(buf), 0);

	ck_assert(n > (ssize_t)sizeof(ok) && memcmp(buf, ok, sizeof(ok) - 1) == 0);
}

static void ask(const struct client *c, const char *request)
{
	send_all(c, request, strlen(request));
	expect_ok(c);
}

static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/* A push of ten series, say. */
START_TEST(a_push_on_a_kept_connection)
{
	enum { WARM = 20, N = 1000 };
	bool tls = _i;
	char request[1024];

	start(tls);
	struct client c = connected(tls);

	snprintf(request, sizeof(request),
		 "PUT /push HTTP/1.1\r\nHost: 127.0.0.1:9091\r\nContent-Type: text/plain\r\n"
		 "Content-Length: 300\r\n\r\n%-299d\n",
		 1);
	for (int i = 0; i < WARM; i++)
		ask(&c, request);
	reads = writes = changes = allocations = 0;
	for (int i = 0; i < N; i++)
		ask(&c, request);
	ck_assert_uint_eq(reads, N);
	ck_assert_uint_eq(writes, N);
	ck_assert_uint_eq(changes, 0);
	ck_assert_uint_eq(allocations, 0);
	leave(&c);
	stop();
}
END_TEST

/* Until the client's kernel has its acknowledgement: then it is in the server's socket. */
static void wait_until_there(int fd)
{
	int unsent = 1;

	while (unsent > 0) {
		ck_assert_int_eq(ioctl(fd, SIOCOUTQ, &unsent), 0);
		sched_yield();
	}
}

/* What the socket has comes with one reading into the buffer that the body gets, after its head. */
START_TEST(a_large_body_that_is_there)
{
	static char request[200 + BODY];
	bool tls = _i;
	int n = snprintf(request, 200, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
			 BODY);

	start(tls);
	struct client c = connected(tls), other = connected(tls);

	memset(request + n, '#', BODY);
	ask(&c, get);
	send_all(&other, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n", 32);
	sem_wait(&held);
	reads = 0;
	send_all(&c, request, (size_t)n + BODY);
	wait_until_there(c.fd);
	sem_post(&go_on);
	expect_ok(&c);
	ck_assert_msg(reads <= (tls ? 6 : 3), "%u", reads);
	expect_ok(&other);
	leave(&c);
	leave(&other);
	stop();
}
END_TEST

/* Of a body that comes piece by piece, each is read once. */
START_TEST(a_large_body_in_pieces)
{
	enum { PIECES = 40, PIECE = 8 * 1024 };
	static char body[PIECE];
	bool tls = _i;
	char head[200];
	int n = snprintf(head, sizeof(head),
			 "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", PIECES * PIECE);

	start(tls);
	struct client c = connected(tls);

	memset(body, '#', sizeof(body));
	/* With the second answer it is sure to be watched. */
	for (int i = 0; i < 2; i++)
		ask(&c, get);
	reads = changes = 0;
	send_all(&c, head, (size_t)n);
	for (int i = 0; i < PIECES; i++)
		send_all(&c, body, sizeof(body));
	expect_ok(&c);
	/* A record may come in two parts. */
	ck_assert_msg(reads <= (PIECES + 1) * (tls ? 2 : 1), "%u", reads);
	ck_assert_uint_eq(changes, 0);
	leave(&c);
	stop();
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("http_reads");

	/* Before OpenSSL has anything. */
	if (!CRYPTO_set_mem_functions(count_malloc, count_realloc, uncounted_free))
		return 1;
	tcase_add_loop_test(tc, a_push_on_a_kept_connection, 0, 2);
	tcase_add_loop_test(tc, a_large_body_that_is_there, 0, 2);
	tcase_add_loop_test(tc, a_large_body_in_pieces, 0, 2);
	return run_cases("http_reads", tc);
}
