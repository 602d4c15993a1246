/* A request between evhttp and the handler, and its reply. */
#include <arpa/inet.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "http/ev_internal.h"

struct http_request {
	struct http_worker *worker;
	struct evhttp_request *ev;
	struct evbuffer *body; /* of the reply; NULL: empty */
	struct str received;
	size_t header_bytes;
	bool close;
	bool later; /* the handler has returned without a reply */
	char peer[64];
};

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 301, "Moved Permanently" },
	{ 307, "Temporary Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 413, "Request Entity Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Status";
}

/* The reply has been written: the connection waits for its next request. */
static void on_complete(struct evhttp_request *ev, void *worker)
{
	struct http_worker *w = worker;
	struct conn *c = conn_of(w, evhttp_request_get_connection(ev));

	if (c)
		conn_replied(c);
}

void request_peer(struct evhttp_connection *evcon, char *out, size_t size)
{
	const struct sockaddr *sa = evhttp_connection_get_addr(evcon);
	char host[INET6_ADDRSTRLEN] = "";

	if (sa && sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(out, size, "%s:%u", host, ntohs(in->sin_port));
	} else if (sa && sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)sa;

		if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr)) {
			inet_ntop(AF_INET, &in->sin6_addr.s6_addr[12], host, sizeof(host));
			snprintf(out, size, "%s:%u", host, ntohs(in->sin6_port));
		} else {
			inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
			snprintf(out, size, "[%s]:%u", host, ntohs(in->sin6_port));
		}
	} else {
		snprintf(out, size, "@");
	}
}

const char *http_request_peer(const struct http_request *req)
{
	struct http_request *mutable = (struct http_request *)req;

	if (!req->peer[0])
		request_peer(evhttp_request_get_connection(req->ev), mutable->peer,
			     sizeof(mutable->peer));
	return req->peer;
}

const char *http_request_protocol(const struct http_request *req)
{
	return req->ev->minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

static void refuse_over_limit(struct http_request *req, struct conn *c)
{
	conn_refused(c, 503, "too many connections (--web.max-connections)");
	http_reply_header(req, "Retry-After", "1");
	http_reply_add(req, STR("too many connections (--web.max-connections)\n"));
	http_reply_close(req);
	http_reply(req, 503, "text/plain; charset=utf-8");
}

/* Not HTTP as we speak it: where the next request would begin is not certain any more. */
static bool refuse(struct http_request *req, int status, const char *why)
{
	struct conn *c = conn_of(req->worker, evhttp_request_get_connection(req->ev));

	req->worker->server->malformed++;
	if (c)
		conn_refused(c, status, why);
	http_reply_add(req, str_of(why));
	http_reply_close(req);
	http_reply(req, status, "text/plain; charset=utf-8");
	return true;
}

static struct str value_of(const struct evkeyval *kv)
{
	return str_of(kv->value);
}

/*
 * What evhttp leaves to us of RFC 9112: the protocol version, Host (section 3.2), names (5.1), and
 * anything that makes a body's length doubtful (6.3). One pass over the headers. True: answered.
 */
static bool refuse_malformed(struct http_request *req)
{
	const struct evkeyval *host = NULL, *length = NULL, *coding = NULL, *kv;
	bool doubtful = false;

	TAILQ_FOREACH(kv, evhttp_request_get_input_headers(req->ev), next) {
		size_t n = strlen(kv->key);

		doubtful |= strpbrk(kv->key, " \t") != NULL;
		if (n == 4 && !strcasecmp(kv->key, "Host")) {
			doubtful |= host != NULL;
			host = kv;
			n = 0;
		} else if (n == 14 && !strcasecmp(kv->key, "Content-Length")) {
			doubtful |= length && !str_eq(value_of(length), value_of(kv));
			length = kv;
		} else if (n == 17 && !strcasecmp(kv->key, "Transfer-Encoding")) {
			doubtful |= coding != NULL;
			coding = kv;
		}
		req->header_bytes += n + strlen(kv->value);
	}
	if (req->ev->major != 1)
		return refuse(req, 505,
			      "505 HTTP Version Not Supported: unsupported protocol version");
	if (req->ev->minor > 0 && !host)
		return refuse(req, 400, "400 Bad Request: missing required Host header");
	if (doubtful)
		return refuse(req, 400, "400 Bad Request");
	if (coding && !str_eq_nocase(value_of(coding), STR("chunked")))
		return refuse(req, 501, "Unsupported transfer encoding");
	/*
	 * evhttp reads no body with these methods: what follows is one all the same. And of two
	 * lengths another reader may have taken the other.
	 */
	bool has_body = coding || (length && !str_eq(value_of(length), STR("0")));
	enum http_method method = http_request_method(req);

	if ((has_body && (method == HTTP_HEAD || method == HTTP_OTHER)) || (coding && length))
		req->close = true;
	return false;
}

void request_received(struct evhttp_request *ev, void *worker)
{
	struct http_worker *w = worker;
	struct conn *c = conn_of(w, evhttp_request_get_connection(ev));
	struct evbuffer *in = evhttp_request_get_input_buffer(ev);
	struct http_request *req = mem_zalloc(sizeof(*req));

	req->worker = w;
	req->ev = ev;
	req->received.n = evbuffer_get_length(in);
	req->received.p = req->received.n ? (const char *)evbuffer_pullup(in, -1) : "";
	evhttp_request_set_on_complete_cb(ev, on_complete, w);
	if (c)
		conn_handling(c);
	if (c && c->refused)
		refuse_over_limit(req, c);
	else if (!refuse_malformed(req))
		w->server->handler.handle(w->state, req);
}

void http_reply_later(struct http_request *req)
{
	req->later = true;
}

enum http_method http_request_method(const struct http_request *req)
{
	switch (evhttp_request_get_command(req->ev)) {
	case EVHTTP_REQ_GET:
		return HTTP_GET;
	case EVHTTP_REQ_PUT:
		return HTTP_PUT;
	case EVHTTP_REQ_POST:
		return HTTP_POST;
	case EVHTTP_REQ_DELETE:
		return HTTP_DELETE;
	case EVHTTP_REQ_OPTIONS:
		return HTTP_OPTIONS;
	case EVHTTP_REQ_HEAD:
		return HTTP_HEAD;
	default:
		return HTTP_OTHER;
	}
}

struct str http_request_target(const struct http_request *req)
{
	return str_of(evhttp_request_get_uri(req->ev));
}

struct str http_request_body(const struct http_request *req)
{
	return req->received;
}

struct str http_request_header(const struct http_request *req, const char *name)
{
	const char *v = evhttp_find_header(evhttp_request_get_input_headers(req->ev), name);

	return v ? str_of(v) : STR_NULL;
}

struct str http_request_header_at(const struct http_request *req, const char *name, size_t n)
{
	const struct evkeyval *kv;

	TAILQ_FOREACH(kv, evhttp_request_get_input_headers(req->ev), next)
		if (strcasecmp(kv->key, name) == 0 && n-- == 0)
			return str_of(kv->value);
	return STR_NULL;
}

size_t http_request_header_bytes(const struct http_request *req)
{
	return req->header_bytes;
}

void http_reply_header(struct http_request *req, const char *name, const char *value)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req->ev);

	evhttp_remove_header(headers, name);
	evhttp_add_header(headers, name, value);
}

static struct evbuffer *reply_body(struct http_request *req)
{
	if (!req->body)
		req->body = evbuffer_new();
	return req->body;
}

/* TLS encrypts a piece without looking up, and cannot take one of 2 GiB. */
enum { PIECE_MAX = 256 * 1024 };

/* What evbuffer takes for one. */
enum { PIECE_COST = 1024 };

struct held {
	void (*free_fn)(void *arg);
	void *arg;
	size_t pieces;
	int64_t cost;
};

static void release(const void *data, size_t len, void *arg)
{
	struct held *h = arg;

	(void)data;
	(void)len;
	if (--h->pieces > 0)
		return;
	bytes_detached_add(-h->cost);
	h->free_fn(h->arg);
	free(h);
}

void http_reply_ref(struct http_request *req, struct str bytes, void (*free_fn)(void *arg),
		    void *arg)
{
	struct held *h = mem_alloc(sizeof(*h));

	*h = (struct held){ free_fn, arg, 1, 0 }; /* one piece is ours until all are there */
	while (bytes.n > 0 && reply_body(req)) {
		size_t n = bytes.n < PIECE_MAX ? bytes.n : PIECE_MAX;

		if (evbuffer_add_reference(req->body, bytes.p, n, release, h) < 0)
			break;
		h->pieces++;
		h->cost += PIECE_COST;
		bytes.p += n;
		bytes.n -= n;
	}
	bytes_detached_add(h->cost);
	release(NULL, 0, h);
}

void http_reply_add(struct http_request *req, struct str bytes)
{
	if (bytes.n && reply_body(req))
		evbuffer_add(req->body, bytes.p, bytes.n);
}

void http_reply_close(struct http_request *req)
{
	req->close = true;
}

/* evhttp would write the time anew for each reply, and none for HTTP/1.0. */
static const char *date_of(struct http_worker *w)
{
	time_t now = time(NULL);

	if (now != w->date_at) {
		w->date_at = now;
		evutil_date_rfc1123(w->date, sizeof(w->date), NULL);
	}
	return w->date;
}

void http_reply(struct http_request *req, int status, const char *content_type)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req->ev);
	struct conn *c = evcon ? conn_of(req->worker, evcon) : NULL;
	char length[24];

	http_reply_header(req, "Date", date_of(req->worker));
	if (content_type)
		http_reply_header(req, "Content-Type", content_type);
	if (req->close || req->worker->stopping || (c && c->tls && conn_tls_ended(c)))
		http_reply_header(req, "Connection", "close");
	if (req->body && evhttp_request_get_command(req->ev) == EVHTTP_REQ_HEAD) {
		snprintf(length, sizeof(length), "%zu", evbuffer_get_length(req->body));
		http_reply_header(req, "Content-Length", length);
		evbuffer_drain(req->body, evbuffer_get_length(req->body));
	}
	if (c)
		c->state = CONN_REPLYING;
	/* evhttp gives a reply to CONNECT neither a length nor an end: there is no tunnel here. */
	if (evhttp_request_get_command(req->ev) == EVHTTP_REQ_CONNECT)
		req->ev->type = EVHTTP_REQ_GET;
	evhttp_send_reply(req->ev, status, phrase_of(status), req->body);
	if (req->body)
		evbuffer_free(req->body);
	if (c && req->later)
		conn_write_now(c);
	else if (evcon)
		conn_stop_reading(evhttp_connection_get_bufferevent(evcon));
	free(req);
}
