/* A server of http/ with TLS, and clients of it: what the integration tests cannot bring about. */
#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "lib/certs.h"
#include "lib/http_serve.h"
#include "lib/run.h"

static struct cert cert;

/* Calls of the server's loop, which finds this function in place of the C library's. */
static atomic_uint waits;

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	waits++;
	return (int)syscall(SYS_epoll_wait, fd, events, max, timeout);
}

/* NULL is given out as often as `absent` says. */
struct contexts {
	SSL_CTX *ctx;
	atomic_int absent;
};

static SSL_CTX *next_context(void *arg)
{
	struct contexts *c = arg;

	if (c->absent > 0) {
		c->absent--;
		return NULL;
	}
	SSL_CTX_up_ref(c->ctx);
	return c->ctx;
}

static void handle(void *state, struct http_request *req)
{
	(void)state;
	http_reply_add(req, STR("here"));
	http_reply_close(req);
	http_reply(req, 200, "text/plain");
}

static const struct http_handler handler = { .worker_new = http_serve_worker_new,
					     .worker_free = http_serve_worker_free,
					     .handle = handle };

static SSL_CTX *server_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	ck_assert(SSL_CTX_use_certificate(ctx, cert.x509));
	ck_assert(SSL_CTX_use_PrivateKey(ctx, cert.key));
	return ctx;
}

static struct http_server *start(struct contexts *contexts, struct sockaddr_in *at)
{
	return http_serve((struct http_settings){ .shutdown_timeout_ns = 50000000,
						  .tls_context = next_context,
						  .tls_arg = contexts },
			  &handler, 0, at);
}

static SSL *connect_to(const struct sockaddr_in *at, SSL_CTX *ctx)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *ssl = SSL_new(ctx);

	ck_assert_int_eq(connect(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
	SSL_set_fd(ssl, fd);
	return ssl;
}

static void leave(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
	ERR_clear_error();
}

static bool is_answered(SSL *ssl)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	char reply[4096];
	size_t n = 0;
	int r;

	if (SSL_connect(ssl) != 1)
		return false;
	SSL_write(ssl, request, sizeof(request) - 1);
	while (n < sizeof(reply) && (r = SSL_read(ssl, reply + n, (int)(sizeof(reply) - n))) > 0)
		n += (size_t)r;
	return n > 4 && memcmp(reply + n - 4, "here", 4) == 0 &&
	       SSL_get_error(ssl, r) == SSL_ERROR_ZERO_RETURN;
}

START_TEST(no_context_is_an_internal_error)
{
	struct contexts contexts = { .ctx = server_context(), .absent = 2 };
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct sockaddr_in at;
	struct http_server *s = start(&contexts, &at);

	for (int i = 0; i < 2; i++) {
		SSL *ssl = connect_to(&at, client);

		ck_assert_int_ne(SSL_connect(ssl), 1);
		ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()),
				 SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
		leave(ssl);
	}
	SSL *ssl = connect_to(&at, client);

	ck_assert(is_answered(ssl));
	ck_assert_uint_eq(http_server_stats(s).tls_handshake_failures, 2);
	leave(ssl);
	http_serve_end(s);
	SSL_CTX_free(client);
	SSL_CTX_free(contexts.ctx);
}
END_TEST

/* Nobody may ask for the handshake's work again and again on one connection. */
START_TEST(renegotiation_is_refused)
{
	struct contexts contexts = { .ctx = server_context() };
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct sockaddr_in at;
	struct http_server *s = start(&contexts, &at);
	SSL *ssl;

	SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
	ssl = connect_to(&at, client);
	ck_assert_int_eq(SSL_connect(ssl), 1);
	ck_assert_int_eq(SSL_renegotiate(ssl), 1);
	ck_assert_int_ne(SSL_do_handshake(ssl), 1);
	ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	leave(ssl);
	http_serve_end(s);
	SSL_CTX_free(client);
	SSL_CTX_free(contexts.ctx);
}
END_TEST

/* A stop finds connections in each state; none of them is left over, with whatever it holds. */
static bool change_key(SSL *ssl, int kind)
{
	return SSL_key_update(ssl, kind) == 1 && SSL_do_handshake(ssl) == 1;
}

/* OpenSSL would read on within one call, in which the worker does nothing else. */
START_TEST(a_client_that_only_changes_its_keys_is_disconnected)
{
	enum { ALLOWED = 20, TOO_MANY = 1000 };
	struct contexts contexts = { .ctx = server_context() };
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct sockaddr_in at;
	struct http_server *s = start(&contexts, &at);
	SSL *now_and_then = connect_to(&at, client), *only = connect_to(&at, client);
	bool sent = true;

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(SSL_connect(now_and_then), 1);
	for (int i = 0; i < ALLOWED; i++)
		ck_assert(change_key(now_and_then, SSL_KEY_UPDATE_REQUESTED));
	ck_assert(is_answered(now_and_then));
	ck_assert_int_eq(SSL_connect(only), 1);
	for (int i = 0; i < TOO_MANY && sent; i++)
		sent = change_key(only, SSL_KEY_UPDATE_NOT_REQUESTED);
	ck_assert(!sent || !is_answered(only));
	leave(now_and_then);
	leave(only);
	http_serve_end(s);
	SSL_CTX_free(client);
	SSL_CTX_free(contexts.ctx);
}
END_TEST

/* Over a Unix socket, whose buffers are soon full. */
struct unix_server {
	struct http_server *server;
	struct http_unix_address at;
};

static void start_unix(struct unix_server *u, struct contexts *contexts)
{
	u->server = http_serve_unix((struct http_settings){ .shutdown_timeout_ns = 50000000,
							    .tls_context = next_context,
							    .tls_arg = contexts },
				    &handler, &u->at);
}

static SSL *connect_unix(const struct unix_server *u, SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);

	SSL_set_fd(ssl, http_serve_connect(&u->at));
	return ssl;
}

static void ask(const struct unix_server *u, SSL_CTX *client)
{
	SSL *ssl = connect_unix(u, client);

	ck_assert(is_answered(ssl));
	leave(ssl);
}

/* Changes keys, and wants the server to do so. False: the server's socket has no room. */
static bool change_keys(SSL *ssl)
{
	enum { IN_A_ROW = 20 };

	if (SSL_write(ssl, "#", 1) != 1)
		return false;
	for (int i = 0; i < IN_A_ROW; i++)
		if (!change_key(ssl, SSL_KEY_UPDATE_REQUESTED))
			return false;
	return true;
}

/*
 * Its bytes wait to be read, and are not, until the socket takes the answers to those before. While
 * it has no room for more, other requests are answered a few times, so that it is full at the end.
 */
START_TEST(a_client_that_reads_no_answers_does_not_keep_the_loop_busy)
{
	enum { FULL = 20, ASKED = 20, CALLS = 50 * ASKED };
	static const char request[] =
		"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n";
	struct contexts contexts = { .ctx = server_context() };
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct unix_server u;
	SSL *ssl;
	unsigned before;

	signal(SIGPIPE, SIG_IGN);
	start_unix(&u, &contexts);
	ssl = connect_unix(&u, client);
	ck_assert_int_eq(SSL_connect(ssl), 1);
	SSL_write(ssl, request, sizeof(request) - 1);
	fcntl(SSL_get_fd(ssl), F_SETFL, O_NONBLOCK);
	for (int full = 0; full < FULL;) {
		full = change_keys(ssl) ? 0 : full + 1;
		if (full > 0)
			ask(&u, client);
	}
	before = waits;
	for (int i = 0; i < ASKED; i++)
		ask(&u, client);
	ck_assert_uint_lt(waits - before, CALLS);
	leave(ssl);
	http_serve_end(u.server);
	SSL_CTX_free(client);
	SSL_CTX_free(contexts.ctx);
}
END_TEST

START_TEST(a_stop_frees_every_connection)
{
	struct contexts contexts = { .ctx = server_context() };
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct sockaddr_in at;
	struct http_server *s = start(&contexts, &at);
	SSL *fresh = connect_to(&at, client), *idle = connect_to(&at, client);
	SSL *reading = connect_to(&at, client);
	char byte;

	ck_assert_int_eq(SSL_connect(idle), 1);
	ck_assert_int_eq(SSL_connect(reading), 1);
	SSL_write(reading, "GET", 3);
	http_serve_end(s);
	ck_assert_int_le(SSL_read(idle, &byte, 1), 0);
	ck_assert_int_eq(SSL_get_shutdown(idle), SSL_RECEIVED_SHUTDOWN);
	leave(fresh);
	leave(idle);
	leave(reading);
	SSL_CTX_free(client);
	SSL_CTX_free(contexts.ctx);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("http_tls");
	int failed;

	log_init(LOG_ERROR, LOG_LOGFMT);
	cert_make(&cert, &(struct cert_spec){ .name = "localhost" });
	tcase_add_test(tc, no_context_is_an_internal_error);
	tcase_add_test(tc, renegotiation_is_refused);
	tcase_add_test(tc, a_client_that_only_changes_its_keys_is_disconnected);
	tcase_add_test(tc, a_client_that_reads_no_answers_does_not_keep_the_loop_busy);
	tcase_add_loop_test(tc, a_stop_frees_every_connection, 0, 20);
	failed = run_cases("http_tls", tc);
	cert_done(&cert);
	return failed;
}
