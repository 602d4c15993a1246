/*
 * TLS on a connection: libevent's bufferevent does the handshake and the records, and here is what
 * it leaves to us. Five of its ways decide how (2.1.12, bufferevent_openssl.c):
 * - It closes in the middle of reading or writing, before it has told the buffers what it read or
 *   wrote: so all callbacks are deferred.
 * - It tells in a deferred call that everything is written, even if something has been added by
 *   then, and evhttp would take a reply for sent: so it never gets to write an interim reply.
 * - It writes until the socket is full, which may be never: so it is stopped now and then.
 * - It sends neither a close_notify nor an answer to what is no handshake.
 * - It says nothing of a record before all of it is there, and each of its bytes begins the idle
 *   timeout anew: so a connection is asked whether it is in a record.
 */
#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/ev_internal.h"

enum {
	SHARE = 256 * 1024,   /* bytes that one connection writes before others have their turn */
	SMALL_MAX = 16 * 1024 /* of a reply that is written at once: one record */
};

struct conn_tls {
	SSL *ssl; /* the bufferevent's */
	bool spoke_http;
	bool paused;    /* after its share */
	size_t written; /* of the share */
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
	/* A client that ends without saying so may still wait for its reply, as without TLS. */
	SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* 34 KiB that an idle connection does not need. */
	SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	return ssl;
}

/* ---- the handshake ---- */

static void on_info(const SSL *ssl, int where, int value)
{
	struct conn *c = SSL_get_app_data(ssl);

	(void)value;
	if ((where & SSL_CB_HANDSHAKE_DONE) && c->state == CONN_HANDSHAKE)
		c->state = CONN_IDLE;
}

/* How requests begin that may come to the wrong port. */
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

/* The first header of a record, or what stands in its place. */
static void on_message(int writing, int version, int type, const void *buf, size_t n, SSL *ssl,
		       void *arg)
{
	struct conn *c = arg;

	(void)version;
	if (writing || type != SSL3_RT_HEADER)
		return;
	c->tls->spoke_http = looks_like_http(buf, n);
	SSL_set_msg_callback(ssl, NULL);
}

static const char *failure(struct conn *c)
{
	const char *reason = NULL, *r;
	unsigned long e;

	if (c->tls->spoke_http)
		return "client sent an HTTP request to an HTTPS server";
	while ((e = bufferevent_get_openssl_error(c->bev)))
		if ((r = ERR_reason_error_string(e)))
			reason = r;
	return reason ? reason : "closed, or not complete within --web.read-timeout";
}

static void answer_http(struct conn *c)
{
	static const char reply[] = "HTTP/1.0 400 Bad Request\r\n\r\n"
				    "Client sent an HTTP request to an HTTPS server.\n";

	(void)!send(bufferevent_getfd(c->bev), reply, sizeof(reply) - 1,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void handshake_failed(struct conn *c)
{
	char *peer = NULL;
	ev_uint16_t port = 0;

	c->worker->server->tls_failures++;
	if (log_enabled(LOG_DEBUG)) {
		evhttp_connection_get_peer(c->evcon, &peer, &port);
		log_debug("TLS handshake failed", "peer", peer, "err", failure(c), NULL);
	}
	if (c->tls->spoke_http)
		answer_http(c);
}

void conn_tls_close(struct conn *c)
{
	if (c->state == CONN_HANDSHAKE) {
		handshake_failed(c);
		return;
	}
	/* Says nothing where the connection is broken already. */
	SSL_shutdown(c->tls->ssl);
	ERR_clear_error();
}

/* ---- reading and writing ---- */

void conn_tls_send(struct conn *c, const char *p, size_t n)
{
	(void)!SSL_write(c->tls->ssl, p, (int)n);
	ERR_clear_error();
}

bool conn_tls_ended(const struct conn *c)
{
	return SSL_get_shutdown(c->tls->ssl) & SSL_RECEIVED_SHUTDOWN;
}

bool conn_tls_in_record(const struct conn *c)
{
	SSL *ssl = c->tls->ssl;

	/* With just the header of a record read, nothing is pending: "RB" reads the body. */
	return SSL_has_pending(ssl) || strcmp(SSL_rstate_string(ssl), "RB") == 0;
}

ssize_t conn_tls_peek(const struct conn *c)
{
	char byte;

	if (conn_tls_ended(c))
		return 0;
	if (c->state != CONN_HANDSHAKE && !SSL_is_init_finished(c->tls->ssl)) {
		errno = EPROTO; /* a record was wrong: nothing is read or written any more */
		return -1;
	}
	return recv(bufferevent_getfd(c->bev), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

/* In one piece: should the socket be full, libevent has to begin again with at least as much. */
static bool write_small(struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t n = evbuffer_get_length(out);
	const unsigned char *p;
	int written;

	if (n == 0 || n > SMALL_MAX || !(p = evbuffer_pullup(out, -1)))
		return false;
	written = SSL_write(c->tls->ssl, p, (int)n);
	ERR_clear_error();
	return written > 0 && evbuffer_drain(out, n) == 0;
}

void conn_tls_write_now(struct conn *c)
{
	if (write_small(c))
		bufferevent_trigger(c->bev, EV_WRITE, 0);
}

void conn_tls_write_interim(struct conn *c)
{
	write_small(c);
}

static void on_written(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	c->tls->written += info->n_deleted;
	if (evbuffer_get_length(buf) == 0) {
		c->tls->written = 0;
	} else if (c->tls->written > SHARE && !c->tls->paused) {
		c->tls->paused = true;
		bufferevent_disable(c->bev, EV_WRITE);
		conn_fix_later(c);
	}
}

bool conn_tls_resume(struct conn *c)
{
	if (!c->tls->paused)
		return false;
	c->tls->paused = false;
	c->tls->written = 0;
	bufferevent_enable(c->bev, EV_WRITE);
	return true;
}

/* ---- a new connection ---- */

struct bufferevent *conn_tls_new(struct conn *c, struct event_base *base)
{
	SSL *ssl = new_ssl(c->worker->server);
	struct bufferevent *bev;

	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
					     BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!bev)
		return NULL;
	c->tls = mem_zalloc(sizeof(*c->tls));
	c->tls->ssl = ssl;
	c->state = CONN_HANDSHAKE;
	c->since_ns = clock_mono_ns();
	SSL_set_app_data(ssl, c);
	SSL_set_info_callback(ssl, on_info);
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, c);
	evbuffer_add_cb(bufferevent_get_output(bev), on_written, c);
	return bev;
}
