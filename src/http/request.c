/* The functions of server.h for a request and its reply. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "http/conn.h"

static const char *bytes_of(const struct http_request *req)
{
	return req->conn->in.p + req->conn->in.start;
}

/* ---- the request ---- */

static void name_peer(struct conn *c)
{
	char host[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in6 *v6 = &c->address.v6;

	if (c->address.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &c->address.v4.sin_addr, host, sizeof(host));
		snprintf(c->peer, sizeof(c->peer), "%s:%u", host, ntohs(c->address.v4.sin_port));
	} else if (c->address.any.sa_family != AF_INET6) {
		snprintf(c->peer, sizeof(c->peer), "@");
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, sizeof(host));
		snprintf(c->peer, sizeof(c->peer), "%s:%u", host, ntohs(v6->sin6_port));
	} else {
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(c->peer, sizeof(c->peer), "[%s]:%u", host, ntohs(v6->sin6_port));
	}
}

const char *http_request_peer(const struct http_request *req)
{
	if (!req->conn->peer[0])
		name_peer(req->conn);
	return req->conn->peer;
}

const char *http_request_protocol(const struct http_request *req)
{
	return req->parse.minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

enum http_method http_request_method(const struct http_request *req)
{
	return req->parse.has_line ? req->parse.method : HTTP_OTHER;
}

uint64_t http_request_announced(const struct http_request *req)
{
	return req->parse.chunked ? UINT64_MAX : req->parse.length;
}

static struct str part_of(const struct http_request *req, struct parse_part part)
{
	return part.n ? (struct str){ bytes_of(req) + part.at, part.n } : STR("");
}

struct str http_request_target(const struct http_request *req)
{
	return part_of(req, req->parse.target);
}

struct str http_request_body(const struct http_request *req)
{
	return part_of(req, req->parse.body);
}

struct str http_request_header(const struct http_request *req, const char *name)
{
	return parse_field(&req->parse, bytes_of(req), str_of(name));
}

struct str http_request_header_before(const struct http_request *req, const char *name,
				      size_t *place)
{
	return parse_field_before(&req->parse, bytes_of(req), str_of(name), place);
}

size_t http_request_header_bytes(const struct http_request *req)
{
	return req->parse.field_bytes;
}

void http_request_attach(struct http_request *req, void *p, void (*free_fn)(void *p))
{
	req->attached = p;
	req->attached_free = free_fn;
}

void *http_request_attached(const struct http_request *req)
{
	return req->attached;
}

void request_detach(struct http_request *req)
{
	if (req->attached)
		req->attached_free(req->attached);
	req->attached = NULL;
}

struct ssl_st *http_request_tls(const struct http_request *req)
{
	return req->conn->tls ? conn_tls_ssl(req->conn) : NULL;
}

/* ---- the reply ---- */

void http_reply_header(struct http_request *req, const char *name, const char *value)
{
	reply_field(&req->reply, str_of(name), str_of(value));
}

void http_reply_ref(struct http_request *req, struct str bytes, void (*free_fn)(void *arg),
		    void *arg)
{
	reply_ref(&req->reply, bytes, free_fn, arg);
}

void http_reply_file(struct http_request *req, int fd, uint64_t n)
{
	reply_file(&req->reply, fd, n);
}

void http_reply_add(struct http_request *req, struct str bytes)
{
	reply_copy(&req->reply, bytes);
}

void http_request_tag(struct http_request *req, unsigned tag)
{
	req->tag = tag;
}

void http_reply_close(struct http_request *req)
{
	req->close = true;
}

void http_request_admit(struct http_request *req)
{
	struct conn *c = req->conn;

	c->state = CONN_READING;
	if (req->parse.expects_continue) {
		reply_interim(&req->reply, STR("HTTP/1.1 100 Continue\r\n\r\n"));
		output_write(c);
	}
	conn_run(c);
}

/*
 * Up to this many bytes of an unread body are read and dropped, so that the connection can be kept.
 */
enum { SKIP_MAX = 64 * 1024 };

static void settle_unread(struct http_request *req)
{
	const struct parse *p = &req->parse;

	if (p->fault || p->stage != PARSE_IN_BODY || p->expects_continue || p->length > SKIP_MAX)
		req->close = req->unread = true;
	else
		req->conn->skip = p->length;
	req->parse.body.n = 0;
}

/* Whether the request has changed something. "Try again" would tell the client that nothing has. */
static bool has_changed_something(const struct http_request *req, int status)
{
	enum http_method method = http_request_method(req);

	return status < 300 && method != HTTP_GET && method != HTTP_HEAD;
}

/* A part of the reply is missing for lack of memory: an error is sent instead. */
static int settle_lost(struct http_request *req, int status)
{
	const struct fault_text *t = &fault_texts[FAULT_MEMORY];

	reply_drop_content(&req->reply);
	if (has_changed_something(req, status)) {
		reply_copy(&req->reply,
			   STR("this has been done, but there is no memory for the answer"));
		return t->status;
	}
	reply_field(&req->reply, STR("Retry-After"), STR("1"));
	reply_copy(&req->reply, str_of(t->text));
	return t->status;
}

static void tell_answered(const struct http_request *req, int status)
{
	const struct http_worker *w = req->conn->worker;

	if (req->tag && w->server->handler.answered)
		w->server->handler.answered(w->state, req, req->tag, status);
}

void http_reply(struct http_request *req, int status, const char *content_type)
{
	struct conn *c = req->conn;
	const struct parse *p = &req->parse;

	if (c->state != CONN_HANDLING)
		settle_unread(req);
	if (req->reply.lost)
		status = settle_lost(req, status);
	tell_answered(req, status);
	req->close |= p->close || c->worker->stopping;
	reply_end(&req->reply, &(struct reply_end){
				       .status = status,
				       .date = worker_date(c->worker),
				       .content_type = content_type,
				       .connection = req->close      ? "close"
						     : p->minor == 0 ? "keep-alive"
								     : NULL,
				       .head = http_request_method(req) == HTTP_HEAD,
			       });
	conn_answered(c);
	if (output_write(c))
		conn_replied(c);
	conn_run(c);
}
