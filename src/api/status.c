/* GET /api/v1/status (behaviour 6.2). */
#include <stdio.h>
#include <time.h>

#include "api/api.h"
#include "base/json.h"
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

/* RFC 3339 in local time, up to nine fractional digits without trailing zeros, as Go prints it. */
void api_format_time(int64_t ns, char *out, size_t size)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;
	char date[32], zone[8], fraction[16];
	size_t n;

	localtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	n = (size_t)snprintf(fraction, sizeof(fraction), ".%09d", (int)(ns % 1000000000));
	while (n > 0 && (fraction[n - 1] == '0' || fraction[n - 1] == '.'))
		fraction[--n] = '\0';
	if (tm.tm_gmtoff == 0)
		snprintf(out, size, "%s%sZ", date, fraction);
	else
		snprintf(out, size, "%s%s%.3s:%s", date, fraction, zone, zone + 3);
}

void api_status(struct api_worker *w, struct http_request *req)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char started[64];

	api_format_time(w->api->started_ns, started, sizeof(started));
	strbuf_addz(&b, "{\"status\":\"success\",\"data\":{\"build_information\":{");
	add_member(&b, "branch", VERSION_BRANCH);
	add_member(&b, "buildDate", VERSION_DATE);
	add_member(&b, "buildUser", VERSION_USER);
	add_member(&b, "goVersion", VERSION_COMPILER);
	add_member(&b, "revision", VERSION_REVISION);
	add_member(&b, "version", VERSION);
	strbuf_addz(&b, "},\"flags\":{");
	config_each(w->api->config, add_flag, &b);
	strbuf_addc(&b, '}');
	add_member(&b, "start_time", started);
	strbuf_addz(&b, "}}");
	http_reply_add(req, strbuf_str(&b));
	http_reply(req, 200, "application/json");
}
