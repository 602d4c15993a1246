/*
 * GET / and /status: groups with their metrics, build and flags. One page of HTML with a style
 * sheet and a script from page_files.c; what it deletes it deletes through the push API.
 */
#include <stdio.h>

#include "api/background_reply.h"
#include "api/endpoints.h"
#include "api/group_metrics.h"
#include "api/html.h"
#include "api/page_files.h"
#include "api/time_text.h"
#include "base/base64.h"
#include "config/config.h"
#include "metrics/key.h"
#include "store/store.h"
#include "version.h"

static const char page_head[] =
	"<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
	"<meta name=\"robots\" content=\"noindex,nofollow\">"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
	"<title>Pushgateway</title><link rel=\"stylesheet\" href=\"static/page.css\">"
	"<script src=\"static/page.js\" defer></script>"
	"</head><body><h1>Pushgateway</h1>";

static const char page_end[] = "</body></html>";

static void add_row(struct strbuf *b, const char *name, const char *value)
{
	strbuf_addz(b, "<tr><th>");
	html_add(b, str_of(name));
	strbuf_addz(b, "</th><td>");
	html_add(b, str_of(value));
	strbuf_addz(b, "</td></tr>");
}

static void add_flag(void *arg, const char *name, const char *value)
{
	add_row(arg, name, value);
}

static void add_status(struct strbuf *b, const struct api *api)
{
	char started[64];

	time_text(api->started_ns, started, sizeof(started));
	strbuf_addz(b, "<h2>Status</h2><table>");
	add_row(b, "Started", started);
	strbuf_addz(b, "</table><h3>Build information</h3><table>");
	add_row(b, "branch", VERSION_BRANCH);
	add_row(b, "buildDate", VERSION_DATE);
	add_row(b, "buildUser", VERSION_USER);
	add_row(b, "goVersion", VERSION_COMPILER);
	add_row(b, "revision", VERSION_REVISION);
	add_row(b, "version", VERSION);
	strbuf_addz(b, "</table><h3>Command-line flags</h3><table>");
	config_each(api->config, add_flag, b);
	strbuf_addz(b, "</table>");
}

static bool is_job(struct str name)
{
	return str_eq(name, STR("job"));
}

static void add_badge(struct strbuf *b, const struct label *l)
{
	strbuf_addz(b, "<span class=\"l\">");
	html_add(b, l->name);
	strbuf_addz(b, "=&#34;");
	html_add(b, l->value);
	strbuf_addz(b, "&#34;</span>");
}

/* `job` first, the rest by name. */
static void add_badges(struct strbuf *b, const struct key *key)
{
	for (int rest = 0; rest < 2; rest++)
		for (uint32_t i = 0; i < key->n_labels; i++)
			if (is_job(key->labels[i].name) == !rest)
				add_badge(b, &key->labels[i]);
}

/* The group's URL for any label values: all of them in base64, an empty one as "=". */
static void add_group_url(struct strbuf *b, const struct key *key)
{
	strbuf_addz(b, "metrics");
	for (int rest = 0; rest < 2; rest++)
		for (uint32_t i = 0; i < key->n_labels; i++) {
			const struct label *l = &key->labels[i];

			if (is_job(l->name) != !rest)
				continue;
			strbuf_addc(b, '/');
			html_add(b, l->name);
			strbuf_addz(b, "@base64/");
			if (l->value.n == 0)
				strbuf_addc(b, '=');
			base64url_encode(l->value, b);
		}
}

static void add_family(struct strbuf *b, const struct group_copy_family *f)
{
	static const char *const types[] = { "COUNTER", "GAUGE",     "SUMMARY",
					     "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM" };
	char time[64];

	time_text((int64_t)f->pushed_at * 1000000000, time, sizeof(time));
	strbuf_addz(b, "<details><summary><b>");
	html_add(b, f->name);
	strbuf_addf(b, "</b> %s ", types[f->type]);
	html_add(b, f->help);
	strbuf_addf(b, " <small>last pushed: %s</small></summary><pre>", time);
	html_add(b, f->text);
	strbuf_addz(b, "</pre></details>");
}

static void add_group(struct strbuf *b, const struct group_copy *g, struct arena *a)
{
	struct key key;

	if (key_decode(g->key, a, &key) < 0)
		return;
	strbuf_addz(b, "<details><summary>");
	add_badges(b, &key);
	if (g->failed_at > g->pushed_at)
		strbuf_addz(b, "<span class=\"bad\">Last push failed!</span>");
	strbuf_addz(b, "<button data-method=\"DELETE\" data-url=\"");
	add_group_url(b, &key);
	strbuf_addz(b, "\" data-ask=\"Delete all metrics of the group ");
	for (uint32_t i = 0; i < key.n_labels; i++) {
		html_add(b, key.labels[i].name);
		strbuf_addz(b, "=&#34;");
		html_add(b, key.labels[i].value);
		strbuf_addz(b, "&#34; ");
	}
	strbuf_addz(b, "?\">Delete Group</button></summary>");
	for (uint32_t i = 0; i < g->n_families; i++)
		add_family(b, &g->families[i]);
	strbuf_addz(b, "</details>");
}

static void add_groups(struct strbuf *b, const struct api *api)
{
	uint64_t n = store_counts(api->store).groups;
	struct group_copy g;
	struct arena a;
	uint32_t cursor = 0;

	strbuf_addf(b, "<h2>Metrics</h2><p>%llu groups", (unsigned long long)n);
	if (api->config->web_enable_admin_api && n > 0)
		strbuf_addf(b,
			    " <button data-method=\"PUT\" data-url=\"api/v1/admin/wipe\" "
			    "data-ask=\"Delete all %llu groups?\">Delete All Groups</button>",
			    (unsigned long long)n);
	strbuf_addz(b, "</p>");
	arena_init(&a, SIZE_MAX);
	while (store_copy_group(api->store, &cursor, &a, &g) > 0) {
		add_group(b, &g, &a);
		arena_reset(&a);
	}
	arena_done(&a);
}

static void make(struct api *api, struct strbuf *b)
{
	strbuf_addz(b, page_head);
	add_groups(b, api);
	add_status(b, api);
	strbuf_addz(b, page_end);
}

void api_html_page(struct api_worker *w, struct http_request *req)
{
	page_add_policy(w, req);
	background_reply(w, req, "text/html; charset=utf-8", make);
}
