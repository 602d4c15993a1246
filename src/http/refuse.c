/* Answers requests that the server itself refuses, and counts them. */
#include <stdio.h>

#include "http/conn.h"

static void count(struct http_server *s, enum http_fault fault)
{
	switch (fault) {
	case FAULT_LATE:
		s->timed_out++;
		break;
	case FAULT_CROWDED:
		s->crowded++;
		break;
	case FAULT_CONNECTIONS:
	case FAULT_CLIENT_CONNECTIONS:
		s->refused++;
		break;
	case FAULT_STOPPING:
	case FAULT_MEMORY:
		break;
	default:
		s->malformed++;
		break;
	}
}

static uint64_t limit_of(const struct http_server *s, enum http_fault fault)
{
	return fault == FAULT_BODY_SIZE ? s->limits.body : s->limits.header;
}

/* The request line, or the beginning of it if less has arrived or it is long. */
static struct str request_line(const struct conn *c)
{
	enum { MOST = 256 };
	struct str line = { c->in.p + c->in.start, c->in.end - c->in.start };
	size_t n = 0;

	if (line.n > MOST)
		line.n = MOST;
	while (n < line.n && line.p[n] != '\r' && line.p[n] != '\n')
		n++;
	return n ? (struct str){ line.p, n } : STR("");
}

static void tell(struct conn *c, int status, const char *why)
{
	const struct http_handler *h = &c->worker->server->handler;

	if (h->refused)
		h->refused(c->worker->state,
			   &(struct http_refused){ .status = status,
						   .method = http_request_method(&c->req),
						   .why = why,
						   .peer = http_request_peer(&c->req),
						   .request_line = request_line(c) });
}

void conn_refuse(struct conn *c, enum http_fault fault)
{
	const struct fault_text *t = &fault_texts[fault];
	struct http_server *s = c->worker->server;
	struct http_request *req = &c->req;
	char text[200];
	int n;

	count(s, fault);
	n = t->closer ? snprintf(text, sizeof(text), "%s%llu%s", t->text,
				 (unsigned long long)limit_of(s, fault), t->closer)
		      : snprintf(text, sizeof(text), "%s", t->text);
	tell(c, t->status, text);
	req->tag = 0;
	reply_drop_content(&req->reply);
	reply_copy(&req->reply, (struct str){ text, (size_t)n });
	reply_copy(&req->reply, STR("\n"));
	if (t->status == 503)
		reply_field(&req->reply, STR("Retry-After"), STR("1"));
	req->close = true;
	http_reply(req, t->status, "text/plain; charset=utf-8");
}
