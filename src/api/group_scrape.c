/* GET /metrics/job/...: the metrics of one group. */
#include "api/api.h"
#include "api/endpoints.h"
#include "api/error_status.h"
#include "api/reply.h"
#include "api/scrape_call.h"
#include "api/scrape_part.h"
#include "config/config.h"
#include "metrics/key.h"

void api_group_scrape(struct api_worker *w, struct http_request *req)
{
	const struct config *c = w->api->config;
	const struct key_limits lim = {
		.max_labels = (uint32_t)c->labels_per_series,
		.max_label_name = (uint32_t)c->label_name_length,
		.max_label_value = (uint32_t)c->label_value_length,
		.utf8_names = c->push_enable_utf8_names,
	};
	struct key key;
	struct err err;

	if (key_parse(w->push_path.key, &lim, &w->reader.arena, &key, NULL, &err) < 0)
		api_reply_error(req, error_status(&err), err.msg);
	else if (api_is_crowded(w->api))
		api_refuse_crowded(req);
	else
		scrape_call_part(w, req, scrape_part_of_group(w->api->store, &key));
}
