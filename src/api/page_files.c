#include "api/page_files.h"

#include "api/admission.h"
#include "api/endpoints.h"
#include "api/path.h"
#include "api/reply.h"
#include "config/config.h"
#include "format/content_type.h"
#include "ui/files.h"

void page_add_policy(struct api_worker *w, struct http_request *req)
{
	static const char name[] = "Content-Security-Policy";

	if (!w->api->admission || !admission_sets_header(w->api->admission, name))
		http_reply_header(req, name, "default-src 'self'; frame-ancestors 'none'");
}

/* "HASH/NAME" of ".../static/HASH/NAME". */
static struct str file_path(struct api_worker *w, struct http_request *req)
{
	return path_behind(http_request_target(req), w->api->config->web_route_prefix, "/static/",
			   &w->reader.arena);
}

void api_page_file(struct api_worker *w, struct http_request *req)
{
	const struct ui_file *file = ui_file_find(file_path(w, req));
	bool packed = negotiate_compression(http_request_header(req, "Accept-Encoding")) ==
		      COMPRESS_GZIP;

	if (!file) {
		api_reply_error(req, 404, "404 page not found");
		return;
	}
	/*
	 * The address contains a hash of the content, so that the content never changes (RFC 8246).
	 */
	http_reply_header(req, "Cache-Control", "public, max-age=31536000, immutable");
	http_reply_header(req, "Vary", "Accept-Encoding");
	http_reply_header(req, "X-Content-Type-Options", "nosniff");
	if (packed)
		http_reply_header(req, "Content-Encoding", "gzip");
	http_reply_add(req, packed ? file->gzip : file->plain);
	http_reply(req, 200, file->type);
}
