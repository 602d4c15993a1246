#include "api/reply.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "config/config.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"

void api_reply_text(struct http_request *req, int status, struct str text)
{
	http_reply_add(req, text);
	http_reply(req, status, TEXT_PLAIN);
}

void api_count_as(struct http_request *req, enum handler handler)
{
	http_request_tag(req, (unsigned)handler + 1);
}

void api_reply_error(struct http_request *req, int status, const char *msg)
{
	http_reply_header(req, "X-Content-Type-Options", "nosniff");
	/* A full queue has room again in a moment. */
	if (status == 503)
		http_reply_header(req, "Retry-After", "1");
	http_reply_add(req, str_of(msg));
	http_reply_add(req, STR("\n"));
	http_reply(req, status, TEXT_PLAIN);
}

bool api_is_crowded(struct api *api)
{
	if (bytes_detached() <= api->config->reply_bytes)
		return false;
	api->counters.replies_refused++;
	return true;
}

void api_refuse_crowded(struct http_request *req)
{
	api_reply_error(req, 503,
			"others are still reading too much (--limits.reply-bytes), try again");
}

/*
 * Whether an If-None-Match (RFC 9110 §13.1.2) has the tag: a list, compared weakly, or "*". Ours
 * has nothing in it that a list would have to quote.
 */
static bool has_entity_tag(struct str header, struct str tag)
{
	return str_eq(header, STR("*")) ||
	       (header.n > 0 && memmem(header.p, header.n, tag.p, tag.n));
}

bool api_is_unchanged(struct http_request *req, struct str content)
{
	char etag[24];

	snprintf(etag, sizeof(etag), "\"%016llx\"", (unsigned long long)hash_bytes(content));
	http_reply_header(req, "ETag", etag);
	return has_entity_tag(http_request_header(req, "If-None-Match"), str_of(etag));
}
