/* /-/quit: ends the process, where --web.enable-lifecycle allows it. */
#include <signal.h>
#include <unistd.h>

#include "api/api.h"
#include "api/endpoints.h"
#include "api/reply.h"
#include "config/config.h"

/* As in the Go gateway, answers of this endpoint have no nosniff header and no final LF. */
void api_quit_get(struct api_worker *w, struct http_request *req)
{
	(void)w;
	api_count_as(req, HANDLER_REFUSED);
	api_reply_text(req, 405, STR("Only POST or PUT requests allowed."));
}

void api_quit(struct api_worker *w, struct http_request *req)
{
	if (!w->api->config->web_enable_lifecycle) {
		api_count_as(req, HANDLER_REFUSED);
		api_reply_text(req, 403, STR("Lifecycle API is not enabled."));
		return;
	}
	w->api->quit_asked = true;
	http_reply_close(req);
	api_reply_text(req, 200, STR("Requesting termination... Goodbye!"));
	/* main() waits for this signal, and sends this answer before the process ends. */
	kill(getpid(), SIGTERM);
}
