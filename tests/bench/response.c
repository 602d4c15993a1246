#include "response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void response_begin(struct response *r)
{
	r->state = RESPONSE_HEAD;
	r->status = 0;
	r->close = false;
	r->body = 0;
	r->left = 0;
	r->n_head = 0;
	r->head[0] = '\0';
}

void response_header(const struct response *r, const char *name, char *out, size_t size)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\r\n%s:", name);
	at = strcasestr(r->head, key);
	at = at ? at + strlen(key) : "";
	at += strspn(at, " ");
	snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
}

static void read_head(struct response *r)
{
	char value[64];

	r->status = r->n_head > 12 ? (int)strtol(r->head + 9, NULL, 10) : 0;
	response_header(r, "Connection", value, sizeof(value));
	r->close = strcasecmp(value, "close") == 0;
	response_header(r, "Transfer-Encoding", value, sizeof(value));
	if (strcasecmp(value, "chunked") == 0) {
		r->state = RESPONSE_CHUNK_SIZE;
		return;
	}
	response_header(r, "Content-Length", value, sizeof(value));
	if (!*value) {
		r->close = true;
		r->state = RESPONSE_UNTIL_CLOSE;
		return;
	}
	r->left = strtoull(value, NULL, 10);
	r->state = r->left ? RESPONSE_COUNTED : RESPONSE_COMPLETE;
}

static size_t feed_head(struct response *r, const char *p, size_t n)
{
	size_t before = r->n_head, room = sizeof(r->head) - 1 - before;
	size_t take = n < room ? n : room;
	const char *end;

	memcpy(r->head + before, p, take);
	end = memmem(r->head, before + take, "\r\n\r\n", 4);
	if (!end) {
		r->n_head = before + take;
		if (r->n_head == sizeof(r->head) - 1)
			r->state = RESPONSE_BROKEN;
		return take;
	}
	r->n_head = (size_t)(end - r->head) + 4;
	r->head[r->n_head] = '\0';
	read_head(r);
	return r->n_head - before;
}

static size_t feed_body(struct response *r, size_t n)
{
	size_t take = n < r->left ? n : r->left;

	r->left -= take;
	r->body += take;
	if (r->left == 0)
		r->state = r->state == RESPONSE_CHUNK ? RESPONSE_CHUNK_END : RESPONSE_COMPLETE;
	return take;
}

static void feed_chunk_size(struct response *r, char c)
{
	if (c >= '0' && c <= '9')
		r->left = r->left * 16 + (uint64_t)(c - '0');
	else if ((c | 32) >= 'a' && (c | 32) <= 'f')
		r->left = r->left * 16 + (uint64_t)((c | 32) - 'a' + 10);
	else if (c == '\n')
		r->state = r->left ? RESPONSE_CHUNK : RESPONSE_TRAILER;
	else if (c != '\r')
		r->state = RESPONSE_BROKEN;
	r->line_empty = true;
}

static void feed_trailer(struct response *r, char c)
{
	if (c == '\n' && r->line_empty)
		r->state = RESPONSE_COMPLETE;
	else
		r->line_empty = c == '\n' || (c == '\r' && r->line_empty);
}

static size_t feed(struct response *r, const char *p, size_t n)
{
	switch (r->state) {
	case RESPONSE_HEAD:
		return feed_head(r, p, n);
	case RESPONSE_COUNTED:
	case RESPONSE_CHUNK:
		return feed_body(r, n);
	case RESPONSE_UNTIL_CLOSE:
		r->body += n;
		return n;
	case RESPONSE_CHUNK_SIZE:
		feed_chunk_size(r, *p);
		return 1;
	case RESPONSE_CHUNK_END:
		if (*p == '\n')
			r->state = RESPONSE_CHUNK_SIZE;
		return 1;
	case RESPONSE_TRAILER:
		feed_trailer(r, *p);
		return 1;
	case RESPONSE_COMPLETE: /* more than one response to one request */
	case RESPONSE_BROKEN:
		break;
	}
	r->state = RESPONSE_BROKEN;
	return n;
}

void response_feed(struct response *r, const char *p, size_t n)
{
	while (n > 0) {
		size_t used = feed(r, p, n);

		p += used;
		n -= used;
	}
}

bool response_ended(struct response *r)
{
	if (r->state == RESPONSE_UNTIL_CLOSE)
		r->state = RESPONSE_COMPLETE;
	return r->state == RESPONSE_COMPLETE;
}
