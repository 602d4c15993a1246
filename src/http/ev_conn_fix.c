/* Error pages that evhttp makes by itself, in HTML: put into our words before they are sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/ev_internal.h"

void conn_fix_later(struct conn *c)
{
	if (c->to_fix)
		return;
	c->to_fix = true;
	c->next_fix = c->worker->fixes;
	c->worker->fixes = c;
	event_active(c->worker->fix, EV_TIMEOUT, 0);
}

/* Our words for what evhttp refused by itself, where it says so in HTML. */
static const char *reason_for(struct conn *c, int *status, char *buf, size_t size)
{
	const struct http_settings *s = &c->worker->server->settings;

	switch (*status) {
	case 413:
		snprintf(buf, size,
			 "request body larger than %llu bytes (--limits.body-size), or malformed "
			 "chunks",
			 (unsigned long long)s->max_body_size);
		return "Request Entity Too Large";
	case 417:
		snprintf(buf, size, "only Expect: 100-continue is supported");
		return "Expectation Failed";
	case 400:
		if (c->received > s->max_header_size) {
			*status = 431;
			snprintf(buf, size,
				 "request header larger than %llu bytes (--web.max-header-size)",
				 (unsigned long long)s->max_header_size);
			return "Request Header Fields Too Large";
		}
		snprintf(buf, size, "400 Bad Request");
		return "Bad Request";
	default:
		snprintf(buf, size, "%d", *status);
		return "Error";
	}
}

static void fix_error(struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	char line[16], text[200];
	int status = 0;

	if (evbuffer_copyout(out, line, sizeof(line)) < 12)
		return;
	line[12] = '\0';
	status = (int)strtol(line + 9, NULL, 10);
	if (status < 400) { /* 100 Continue */
		if (c->tls)
			conn_tls_write_interim(c);
		return;
	}
	const char *phrase = reason_for(c, &status, text, sizeof(text));

	c->worker->server->malformed++;
	conn_refused(c, status, text);
	c->state = CONN_REPLYING;
	bufferevent_disable(c->bev, EV_READ);
	evbuffer_unfreeze(out, 1); /* only a plain socket's is frozen */
	evbuffer_drain(out, evbuffer_get_length(out));
	if (!c->tls)
		evbuffer_freeze(out, 1);
	evbuffer_add_printf(out,
			    "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
			    "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
			    status, phrase, strlen(text), text);
}

/* What has come to its end meanwhile takes no more room. */
static void settle_crowded(struct conn *c)
{
	c->crowded = false;
	if (c->state != CONN_READING)
		return;
	c->worker->server->crowded++;
	conn_say(c, "503 Service Unavailable",
		 "too much is arriving at the same time (--limits.receiving-bytes), try again\n");
	evhttp_connection_free(c->evcon);
}

/* What has come to its end with the same bytes is the handler's by now, which has yet to answer. */
static void settle_overfull(struct conn *c)
{
	c->overfull = c->crowded = false;
	if (c->state != CONN_READING)
		return;
	c->worker->server->malformed++;
	conn_say(c, "413 Request Entity Too Large",
		 "request larger than --web.max-header-size and --limits.body-size allow\n");
	evhttp_connection_free(c->evcon);
}

void conn_fix_errors(struct http_worker *w)
{
	while (w->fixes) {
		struct conn *c = w->fixes;

		w->fixes = c->next_fix;
		c->next_fix = NULL;
		c->to_fix = false;
		if (c->overfull)
			settle_overfull(c);
		else if (c->crowded)
			settle_crowded(c);
		else if (!c->tls || !conn_tls_resume(c))
			fix_error(c);
	}
}
