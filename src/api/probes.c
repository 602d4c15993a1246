/* /-/healthy: the process answers. /-/ready: it takes pushes, and can be scraped. */
#include <stdio.h>

#include "api/api.h"
#include "api/endpoints.h"
#include "api/reply.h"
#include "commit/committer.h"
#include "commit/freshness.h"

void api_healthy(struct api_worker *w, struct http_request *req)
{
	(void)w;
	api_reply_text(req, 200, STR("OK"));
}

void api_ready(struct api_worker *w, struct http_request *req)
{
	bool loaded = w->api->ready;
	struct err why = { 0 };
	bool fails = loaded && committer_fails(w->api->committer, &why);
	bool stale = loaded && (freshness_is_stale(w->api->freshness) ||
				committer_is_outgrown(w->api->committer));
	bool ready = loaded && !fails && !stale;
	char text[ERR_MSG_SIZE + 64];

	api_count_as(req, HANDLER_READY);
	if (ready) {
		api_reply_text(req, 200, STR("OK"));
		return;
	}
	snprintf(text, sizeof(text), "every push is refused, scrapes %s: %s",
		 stale ? "too" : "go on", fails ? why.msg : "the database does not answer");
	api_reply_error(req, 503,
			loaded ? text : "the gateway is starting: its database is being loaded");
}
