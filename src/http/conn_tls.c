/*
 * TLS on a connection: OpenSSL on the socket, which does not block, with an error of EAGAIN where a
 * socket without TLS has one. libevent's bufferevent for TLS (2.1.12) is not used: it may close
 * while it reads or writes, before its buffers know; it counts a reply as sent that was added
 * meanwhile; it writes for as long as the socket takes it; it sends no close_notify; and it does
 * not report a record before all of it has arrived. This way a connection works the same with TLS
 * as without.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/log.h"
#include "http/conn.h"

enum {
	RECORD_MAX = 16 * 1024,
	WIDE = 128 * 1024, /* read buffer for a large body; freed after it */
	/*
	 * Records in a row that hold nothing of a request, as a change of keys: OpenSSL reads on
	 * within one call for as long as these come.
	 */
	MAX_EMPTY = 32,
};

struct conn_tls {
	SSL *ssl;
	size_t read_len; /* the wanted size of OpenSSL's read buffer; 0: one record */
	bool has_begun;  /* the first record's header has come */
	bool spoke_http; /* in its place */
	unsigned empty;  /* records since the handshake, or since the last byte of a request */
	bool stuck;      /* a read waits until the socket takes bytes */
};

/* ---- contexts ---- */

static int refuse_hello(SSL *ssl, int *alert, void *arg)
{
	(void)ssl;
	(void)arg;
	*alert = SSL_AD_INTERNAL_ERROR;
	return SSL_CLIENT_HELLO_ERROR;
}

int conn_tls_init(struct http_server *s, struct err *err)
{
	if (!s->settings.tls_context)
		return 0;
	s->tls_refusing = SSL_CTX_new(TLS_server_method());
	if (!s->tls_refusing)
		return err_set(err, ERR_SYSTEM, 0, "cannot set up TLS: out of memory");
	SSL_CTX_set_client_hello_cb(s->tls_refusing, refuse_hello, NULL);
	return 0;
}

void conn_tls_done(struct http_server *s)
{
	SSL_CTX_free(s->tls_refusing);
}

static SSL *new_ssl(struct http_server *s)
{
	SSL_CTX *ctx = s->settings.tls_context(s->settings.tls_arg);
	SSL *ssl = SSL_new(ctx ? ctx : s->tls_refusing);

	SSL_CTX_free(ctx);
	if (!ssl)
		return NULL;
	/* A client that ends without close_notify may still wait for its reply, as without TLS. */
	SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	/*
	 * During the handshake OpenSSL frees its 34 KiB of buffers when they are empty. Afterwards
	 * they are kept from request to request, until conn_tls_rest(). A write that goes on is
	 * gathered anew, at another address.
	 */
	SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Reads a record's header and its content in one system call. */
	SSL_set_read_ahead(ssl, 1);
	return ssl;
}

/* ---- a new connection, and its end ---- */

/* Whether the bytes are the beginning of a request in plain HTTP, sent to a port with TLS. */
static bool looks_like_http(const char *p, size_t n)
{
	static const char *const begins[] = {
		"GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET"
	};

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (n == 5 && memcmp(p, begins[i], 5) == 0)
			return true;
	return false;
}

/*
 * OpenSSL calls this with the header of each record. In place of the first one there may be a
 * request.
 */
static void on_message(int writing, int version, int type, const void *buf, size_t n, SSL *ssl,
		       void *arg)
{
	struct conn *c = arg;

	(void)version;
	(void)ssl;
	if (writing || type != SSL3_RT_HEADER)
		return;
	if (!c->tls->has_begun)
		c->tls->spoke_http = looks_like_http(buf, n);
	c->tls->has_begun = true;
	c->tls->empty++;
}

/*
 * OpenSSL calls this before it reads from the socket. With 0 it reads nothing, and fails: a client
 * that only changes its keys would have it in one call for ever.
 */
/* NOLINTBEGIN(readability-non-const-parameter): as BIO_callback_fn_ex has it */
static long before_read(BIO *bio, int oper, const char *p, size_t n, int i, long l, int ret,
			size_t *processed)
{
	const struct conn *c = (const struct conn *)BIO_get_callback_arg(bio);

	(void)p;
	(void)n;
	(void)i;
	(void)l;
	(void)processed;
	if (oper != BIO_CB_READ || c->state == CONN_HANDSHAKE || c->tls->empty <= MAX_EMPTY)
		return ret;
	BIO_clear_retry_flags(bio);
	return 0;
}
/* NOLINTEND(readability-non-const-parameter) */

int conn_tls_new(struct conn *c)
{
	SSL *ssl = new_ssl(c->worker->server);

	c->tls = ssl ? calloc(1, sizeof(*c->tls)) : NULL;
	if (!c->tls || SSL_set_fd(ssl, c->fd) != 1) {
		ERR_clear_error();
		SSL_free(ssl);
		free(c->tls);
		return -1;
	}
	c->tls->ssl = ssl;
	SSL_set_accept_state(ssl);
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, c);
	BIO_set_callback_ex(SSL_get_rbio(ssl), before_read);
	BIO_set_callback_arg(SSL_get_rbio(ssl), (char *)c);
	return 0;
}

void conn_tls_free(struct conn *c)
{
	SSL_free(c->tls->ssl);
	free(c->tls);
	c->tls = NULL;
}

void conn_tls_end(struct conn *c)
{
	/* Sends nothing if the connection is broken. */
	SSL_shutdown(c->tls->ssl);
	ERR_clear_error();
}

/* ---- the handshake ---- */

static const char *failure(struct conn *c)
{
	const char *reason = NULL, *r;
	unsigned long e;

	if (c->tls->spoke_http)
		return "client sent an HTTP request to an HTTPS server";
	while ((e = ERR_get_error()))
		if ((r = ERR_reason_error_string(e)))
			reason = r;
	return reason ? reason : "closed, or not complete within --web.read-timeout";
}

static void answer_http(struct conn *c)
{
	static const char reply[] = "HTTP/1.0 400 Bad Request\r\n\r\n"
				    "Client sent an HTTP request to an HTTPS server.\n";

	(void)!send(c->fd, reply, sizeof(reply) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void conn_tls_failed(struct conn *c)
{
	c->worker->server->tls_failures++;
	if (log_enabled(LOG_DEBUG))
		log_debug("TLS handshake failed", "peer", http_request_peer(&c->req), "err",
			  failure(c), NULL);
	if (c->tls->spoke_http)
		answer_http(c);
	ERR_clear_error();
}

int conn_tls_handshake(struct conn *c, bool *ret_write)
{
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(c->tls->ssl);
	if (r == 1) {
		c->tls->empty = 0;
		SSL_clear_mode(c->tls->ssl, SSL_MODE_RELEASE_BUFFERS);
		return 1;
	}
	switch (SSL_get_error(c->tls->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		*ret_write = true;
		return 0;
	case SSL_ERROR_SYSCALL:
	case SSL_ERROR_ZERO_RETURN:
		c->ended = true;
		return -1;
	default:
		return -1;
	}
}

/* ---- reading and writing ---- */

/* The result when OpenSSL has read or written nothing, with the errno of read() or write(). */
static ssize_t nothing(struct conn *c, int r)
{
	int saved = errno;

	switch (SSL_get_error(c->tls->ssl, r)) {
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_SYSCALL:
		errno = saved && saved != EAGAIN ? saved : ECONNRESET;
		return -1;
	default:
		errno = EPROTO; /* a record was wrong: nothing more can be read or written */
		return -1;
	}
}

void conn_tls_rest(struct conn *c)
{
	SSL_free_buffers(c->tls->ssl);
}

void conn_tls_expect(struct conn *c, size_t n)
{
	size_t len = n >= WIDE ? WIDE : 0;

	if (len == c->tls->read_len)
		return;
	SSL_set_default_read_buffer_len(c->tls->ssl, len);
	/*
	 * The new length holds for the next buffer that OpenSSL allocates, so the present one is
	 * freed, which fails while it has bytes. Until then OpenSSL reads only to the end of the
	 * record.
	 */
	if (SSL_free_buffers(c->tls->ssl))
		c->tls->read_len = len;
	SSL_set_read_ahead(c->tls->ssl, len == 0 || c->tls->read_len == len);
}

SSL *conn_tls_ssl(const struct conn *c)
{
	return c->tls->ssl;
}

bool conn_tls_drained(const struct conn *c, size_t n)
{
	return n < RECORD_MAX && !SSL_has_pending(c->tls->ssl);
}

ssize_t conn_tls_read(struct conn *c, void *p, size_t n)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_read(c->tls->ssl, p, n < INT32_MAX ? (int)n : INT32_MAX);
	if (r > 0)
		c->tls->empty = 0;
	c->tls->stuck = r <= 0 && SSL_want_write(c->tls->ssl);
	return r > 0 ? r : nothing(c, r);
}

bool conn_tls_is_stuck(const struct conn *c)
{
	return c->tls && c->tls->stuck;
}

/*
 * Writes one record. If the socket was full, OpenSSL wants the same bytes again: it gets them,
 * since the reply has not moved on.
 */
ssize_t conn_tls_write(struct conn *c, const struct iovec *iov, int n)
{
	char *record = c->worker->scratch;
	size_t total = 0;
	int r;

	for (int i = 0; i < n && total < RECORD_MAX; i++) {
		size_t room = RECORD_MAX - total, here = iov[i].iov_len;

		here = here < room ? here : room;
		copy_bytes(record + total, iov[i].iov_base, here);
		total += here;
	}
	ERR_clear_error();
	errno = 0;
	r = SSL_write(c->tls->ssl, record, (int)total);
	if (r > 0)
		return r;
	if (nothing(c, r) == 0)
		errno = EPIPE;
	return -1;
}

bool conn_tls_in_record(const struct conn *c)
{
	SSL *ssl = c->tls->ssl;

	/*
	 * SSL_has_pending() does not count a record of which only the header has been read; then
	 * OpenSSL is in its state "RB" (read body).
	 */
	return SSL_has_pending(ssl) || strcmp(SSL_rstate_string(ssl), "RB") == 0;
}
