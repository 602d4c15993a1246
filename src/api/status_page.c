/* GET /status: build, limits and how full they are, storage, flags. */
#include <stdio.h>

#include "api/endpoints.h"
#include "api/html.h"
#include "api/page_shell.h"
#include "api/status_facts.h"
#include "api/time_text.h"
#include "config/config.h"
#include "version.h"

static void add_fact(struct strbuf *b, const char *name, const char *value)
{
	strbuf_addf(b, "<dt>%s</dt><dd>", name);
	html_add(b, str_of(value));
	strbuf_addz(b, "</dd>");
}

static void add_amount(struct strbuf *b, const struct limit_use *l, uint64_t n)
{
	if (l->bytes)
		html_add_size(b, n);
	else
		html_add_count(b, n);
}

/* The module status.js keeps both numbers up to date. */
static void add_limit(struct strbuf *b, const struct limit_use *l, size_t i)
{
	unsigned long long limit = l->limit, used = l->used;

	strbuf_addf(b, "<li><span id=\"what-%zu\">%s", i, l->what);
	if (l->flag)
		strbuf_addf(b, " <code class=\"dim\">--%s</code>", l->flag);
	strbuf_addf(b, "</span><span class=\"n\"><span id=\"used-%zu\">", i);
	add_amount(b, l, used);
	strbuf_addz(b, "</span> <span class=\"dim\">of ");
	add_amount(b, l, limit);
	strbuf_addf(b,
		    "</span></span><meter min=\"0\" max=\"%llu\" low=\"%llu\" high=\"%llu\" "
		    "optimum=\"0\" value=\"%llu\" id=\"meter-%zu\" aria-labelledby=\"what-%zu\">"
		    "</meter></li>",
		    limit, limit / 4 * 3, limit / 10 * 9, used, i, i);
}

static void add_limits(struct strbuf *b, const struct status_facts *facts)
{
	strbuf_addz(b, "<section><h2 id=\"limits\">Limits</h2>"
		       "<ul class=\"limits\" aria-labelledby=\"limits\">");
	for (size_t i = 0; i < LIMIT_USES; i++)
		add_limit(b, &facts->limits[i], i);
	strbuf_addz(b, "</ul></section>");
}

static void add_build(struct strbuf *b, const struct api *api)
{
	char started[64];

	time_text(api->started_ns, started, sizeof(started));
	strbuf_addz(b, "<section><h2>Build</h2><dl class=\"fact\">");
	add_fact(b, "Version", VERSION);
	add_fact(b, "Revision", VERSION_REVISION);
	add_fact(b, "Branch", VERSION_BRANCH);
	add_fact(b, "Compiler", VERSION_COMPILER);
	add_fact(b, "Built", VERSION_DATE);
	add_fact(b, "Built by", VERSION_USER);
	add_fact(b, "Started", started);
	strbuf_addz(b, "</dl></section>");
}

static void add_number_of(struct strbuf *b, const char *name, uint64_t n)
{
	strbuf_addf(b, "<dt>%s</dt><dd id=\"n-%s\">", name, name);
	html_add_count(b, n);
	strbuf_addz(b, "</dd>");
}

static void add_storage(struct strbuf *b, const struct api *api, const struct status_facts *facts,
			bool may_wipe)
{
	strbuf_addz(b, "<section><h2 id=\"storage\">Storage</h2><dl class=\"fact\">");
	if (*facts->database) {
		add_fact(b, "database", facts->database);
		strbuf_addz(b, "<dt>size</dt><dd id=\"n-database\">");
		html_add_size(b, facts->database_bytes);
		strbuf_addz(b, "</dd>");
	} else {
		strbuf_addz(b, "<dt>database</dt><dd class=\"bad\">in memory: a restart loses "
			       "everything</dd>");
	}
	add_number_of(b, "groups", facts->stored.groups);
	add_number_of(b, "families", facts->stored.families);
	add_number_of(b, "series", facts->stored.series);
	if (facts->stored.left_out)
		add_number_of(b, "families left out", facts->stored.left_out);
	if (api->database_set_aside)
		strbuf_addf(b,
			    "<dt>at start</dt><dd class=\"bad\">the database was damaged: it is "
			    "set aside, and %llu groups came over from it</dd>",
			    (unsigned long long)api->salvaged_groups);
	strbuf_addz(b, "</dl>");
	if (api->config->web_enable_admin_api && may_wipe)
		strbuf_addz(b, "<div class=\"acts\" id=\"admin\" hidden><button type=\"button\" "
			       "class=\"btn del\" id=\"wipe\">Delete all groups…</button></div>");
	strbuf_addz(b, "</section>");
}

static void add_flag(void *arg, const char *name, const char *value)
{
	struct strbuf *b = arg;

	strbuf_addf(b, "<tr><th scope=\"row\"><code>--%s</code></th><td><code>", name);
	html_add(b, str_of(value));
	strbuf_addz(b, "</code></td></tr>");
}

static void add_flags(struct strbuf *b, const struct api *api)
{
	strbuf_addz(b, "<section><h2 id=\"flags\">Flags</h2>"
		       "<table aria-labelledby=\"flags\"><tbody>");
	config_each(api->config, add_flag, b);
	strbuf_addz(b, "</tbody></table></section>");
}

void api_status_page(struct api_worker *w, struct http_request *req)
{
	struct strbuf b = { 0 };
	struct status_facts facts;

	status_facts_collect(w->api, &facts);
	page_begin(&b, w->api, caller_of(req), TAB_STATUS);
	strbuf_addz(&b, "<div class=\"tab\"><h1>Status</h1><div class=\"two\">");
	add_limits(&b, &facts);
	strbuf_addz(&b, "<div>");
	add_storage(&b, w->api, &facts, caller_may(caller_of(req), VERB_ADMIN));
	add_build(&b, w->api);
	strbuf_addz(&b, "</div></div>");
	add_flags(&b, w->api);
	strbuf_addz(&b, "</div>");
	page_end(&b);
	page_reply(w, req, 200, &b);
}
