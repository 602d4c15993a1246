/* /-/healthy: the process answers. /-/ready: it takes pushes, and can be scraped. */
#include "api/api.h"
#include "api/endpoints.h"
#include "api/reply.h"

void api_healthy(struct api_worker *w, struct http_request *req)
{
	(void)w;
	api_reply_text(req, 200, STR("OK"));
}

void api_ready(struct api_worker *w, struct http_request *req)
{
	bool ready = w->api->ready;

	counters_request(&w->api->counters, HANDLER_READY, http_request_method(req),
			 ready ? 200 : 503);
	if (ready)
		api_reply_text(req, 200, STR("OK"));
	else
		api_reply_error(req, 503, "the gateway is starting: its database is being loaded");
}
