/* GET /api/v1/status: build, flags as strings, and start time, as the Go gateway shows them. */
#include <stdio.h>

#include "api/api.h"
#include "api/endpoints.h"
#include "api/time_text.h"
#include "base/json.h"
#include "config/config.h"
#include "version.h"

static void add_member(struct strbuf *b, const char *name, const char *value)
{
	if (b->p[b->n - 1] != '{')
		strbuf_addc(b, ',');
	json_add_string(b, str_of(name));
	strbuf_addc(b, ':');
	json_add_string(b, str_of(value));
}

static void add_flag(void *arg, const char *name, const char *value)
{
	add_member(arg, name, value);
}

void api_status(struct api_worker *w, struct http_request *req)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char started[64], bytes[24];

	time_text(w->api->started_ns, started, sizeof(started));
	strbuf_addz(&b, "{\"status\":\"success\",\"data\":{\"build_information\":{");
	add_member(&b, "branch", VERSION_BRANCH);
	add_member(&b, "buildDate", VERSION_DATE);
	add_member(&b, "buildUser", VERSION_USER);
	add_member(&b, "goVersion", VERSION_COMPILER);
	add_member(&b, "revision", VERSION_REVISION);
	add_member(&b, "version", VERSION);
	strbuf_addz(&b, "},\"flags\":{");
	config_each(w->api->config, add_flag, &b);
	strbuf_addz(&b, "},\"memory\":{");
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)w->api->config->memory.bytes);
	add_member(&b, "bytes", bytes);
	add_member(&b, "from", w->api->config->memory.from);
	strbuf_addc(&b, '}');
	add_member(&b, "start_time", started);
	strbuf_addz(&b, "}}");
	http_reply_add(req, strbuf_str(&b));
	http_reply(req, 200, "application/json");
}
