/*
 * GET /api/v1/status: build, flags as strings and start time, as the Go gateway shows them; what is
 * stored, and how full the limits are.
 */
#include <stdio.h>

#include "api/api.h"
#include "api/caller.h"
#include "api/endpoints.h"
#include "api/status_facts.h"
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

static void add_number(struct strbuf *b, const char *name, uint64_t n)
{
	if (b->p[b->n - 1] != '{')
		strbuf_addc(b, ',');
	json_add_string(b, str_of(name));
	strbuf_addf(b, ":%llu", (unsigned long long)n);
}

static void add_database(struct strbuf *b, const struct status_facts *facts)
{
	bool in_memory = *facts->database == '\0';

	strbuf_addz(b, ",\"database\":{");
	if (!in_memory)
		add_number(b, "bytes", facts->database_bytes);
	else
		strbuf_addz(b, "\"in_memory\":true");
	strbuf_addc(b, '}');
}

static void add_limits(struct strbuf *b, const struct status_facts *facts)
{
	strbuf_addz(b, ",\"limits\":[");
	for (size_t i = 0; i < LIMIT_USES; i++) {
		const struct limit_use *l = &facts->limits[i];

		strbuf_addz(b, i ? ",{" : "{");
		if (l->flag)
			add_member(b, "flag", l->flag);
		add_member(b, "what", l->what);
		add_member(b, "unit", l->bytes ? "bytes" : "count");
		add_number(b, "used", l->used);
		add_number(b, "limit", l->limit);
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, ']');
}

static void add_stored(struct strbuf *b, const struct status_facts *facts)
{
	strbuf_addz(b, ",\"stored\":{");
	add_number(b, "groups", facts->stored.groups);
	add_number(b, "series", facts->stored.series);
	add_number(b, "families", facts->stored.families);
	add_number(b, "failed", facts->stored.failed);
	add_number(b, "overdue", facts->stored.overdue);
	add_number(b, "conflict", facts->stored.conflict);
	strbuf_addc(b, '}');
}

void api_status(struct api_worker *w, struct http_request *req)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char started[64], bytes[24];
	struct status_facts facts;

	status_facts_collect(w->api, &facts);
	time_text(w->api->started_ns, started, sizeof(started));
	strbuf_addz(&b, "{\"status\":\"success\",\"data\":{\"build_information\":{");
	add_member(&b, "branch", VERSION_BRANCH);
	add_member(&b, "buildDate", VERSION_DATE);
	add_member(&b, "buildUser", VERSION_USER);
	add_member(&b, "goVersion", VERSION_COMPILER);
	add_member(&b, "revision", VERSION_REVISION);
	add_member(&b, "version", VERSION);
	strbuf_addc(&b, '}');
	add_database(&b, &facts);
	strbuf_addz(&b, ",\"flags\":{");
	config_each(w->api->config, add_flag, &b);
	strbuf_addc(&b, '}');
	add_limits(&b, &facts);
	if (caller_of(req)) {
		strbuf_addz(&b, ",\"may\":[");
		caller_add_verbs(caller_of(req), true, &b);
		strbuf_addc(&b, ']');
	}
	strbuf_addz(&b, ",\"memory\":{");
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)w->api->config->memory.bytes);
	add_member(&b, "bytes", bytes);
	add_member(&b, "from", w->api->config->memory.from);
	strbuf_addc(&b, '}');
	add_member(&b, "start_time", started);
	add_stored(&b, &facts);
	strbuf_addz(&b, "}}");
	http_reply_add(req, strbuf_str(&b));
	http_reply(req, 200, "application/json");
}
