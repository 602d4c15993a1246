/* The exchanges of a connection: a request is read, handled and answered, then the next one. */
#include "base/clock.h"
#include "http/extra.h"

/* A client that asks again within this time hardly pauses. */
enum { PAUSE_NS = 5 * 1000 * 1000 };

static void begin_request(struct conn *c)
{
	int64_t now = clock_mono_ns();

	c->paused = now - c->since_ns >= PAUSE_NS;
	c->state = CONN_READING;
	c->since_ns = now;
}

void conn_begin_with_record(struct conn *c)
{
	if (c->state == CONN_IDLE && c->tls && conn_tls_in_record(c))
		begin_request(c);
}

static bool begin(struct conn *c)
{
	struct inbuf *in = &c->in;
	size_t n;

	if (in->start < in->end)
		input_drop(c, parse_blank(in->p + in->start, in->end - in->start));
	n = in->end - in->start;
	if (n > 1 || (n == 1 && in->p[in->start] != '\r')) {
		begin_request(c);
		return true;
	}
	if (c->ended)
		conn_finish(c, false);
	return false;
}

static void take_head(struct conn *c)
{
	const struct http_handler *h = &c->worker->server->handler;
	enum http_fault fault = extra_judge(c);

	c->state = CONN_ADMITTING;
	if (fault != FAULT_NONE)
		conn_refuse(c, fault);
	else if (h->admit)
		h->admit(c->worker->state, &c->req);
	else
		http_request_admit(&c->req);
}

static void take_request(struct conn *c)
{
	c->state = CONN_HANDLING;
	c->worker->server->handler.handle(c->worker->state, &c->req);
}

static bool read_on(struct conn *c)
{
	struct inbuf *in = &c->in;
	struct parse *p = &c->req.parse;
	size_t n = in->end - in->start;
	enum parse_result r = PARSE_MORE;

	if (n > 0) /* with TLS, only a part of a record may have arrived */
		r = parse_step(p, &c->worker->server->limits, in->p + in->start, &n);
	in->end = in->start + n;
	if (r == PARSE_BAD)
		conn_refuse(c, p->fault);
	else if (!count_received(c, n))
		conn_refuse(c, FAULT_CROWDED);
	else if (r == PARSE_HEAD)
		take_head(c);
	else if (r == PARSE_DONE)
		take_request(c);
	else if (c->ended)
		conn_refuse(c, FAULT_CUT_OFF);
	else
		return false;
	return true;
}

static bool skip(struct conn *c)
{
	size_t n = c->in.end - c->in.start;

	if (n > c->skip)
		n = (size_t)c->skip;
	input_drop(c, n);
	c->skip -= n;
	if (c->skip > 0) {
		if (c->ended)
			conn_close(c);
		return false;
	}
	c->state = CONN_IDLE;
	c->since_ns = clock_mono_ns();
	return true;
}

void conn_answered(struct conn *c)
{
	struct http_request *req = &c->req;
	enum http_method method = req->parse.method;
	bool asked = req->parse.close;

	c->patient = method == HTTP_PUT || method == HTTP_POST || !c->paused;
	count_ended(c);
	input_drop(c, parse_end(&req->parse));
	/* A client that asked to close the connection sends no more requests. */
	c->last = req->close;
	c->more = !asked || req->unread || c->skip > 0 || c->in.start < c->in.end;
	request_detach(req);
	req->parse = (struct parse){ 0 };
	req->close = req->unread = false;
	req->tag = 0;
	c->given = 0;
	c->taken = 0;
	c->taken_ns = clock_mono_ns();
	c->state = CONN_REPLYING;
}

void conn_replied(struct conn *c)
{
	reply_reset(&c->req.reply);
	if (c->last) {
		conn_finish(c, c->more);
		return;
	}
	c->state = c->skip ? CONN_SKIPPING : CONN_IDLE;
	c->since_ns = clock_mono_ns();
}

bool exchange_step(struct conn *c)
{
	if (c->broken && c->state != CONN_ADMITTING && c->state != CONN_HANDLING)
		conn_close(c);
	switch (c->state) {
	case CONN_IDLE:
		return begin(c);
	case CONN_READING:
		return read_on(c);
	case CONN_SKIPPING:
		return skip(c);
	default:
		return false;
	}
}
