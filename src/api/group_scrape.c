/* GET /metrics/job/...: the metrics of one group. */
#include "api/api.h"
#include "api/endpoints.h"
#include "api/error_status.h"
#include "api/reply.h"
#include "api/scrape_call.h"
#include "api/scrape_part.h"
#include "metrics/key.h"

void api_group_scrape(struct api_worker *w, struct http_request *req)
{
	const struct key_limits lim = read_push_key_limits(w->api->config);
	struct key key;
	struct err err;

	if (key_parse(w->push_path.key, &lim, &w->reader.arena, &key, NULL, &err) < 0)
		api_reply_error(req, error_status(&err), err.msg);
	else if (api_is_crowded(w->api))
		api_refuse_crowded(req);
	else
		scrape_call_part(w, req, scrape_part_of_group(w->api->store, &key));
}
