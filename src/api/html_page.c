/*
 * GET / and /status: groups with their metrics, build and flags. One page of HTML with a style
 * sheet and a script from page_files.c; what it deletes it deletes through the push API.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/background_reply.h"
#include "api/endpoints.h"
#include "api/html.h"
#include "api/page_files.h"
#include "api/time_text.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"
#include "metrics/key.h"
#include "store/store.h"
#include "version.h"

enum { CHUNK = 64 * 1024 };

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

static void begin_family(struct strbuf *b, const struct group_copy_family *f)
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
}

static void end_family(struct strbuf *b)
{
	strbuf_addz(b, "</pre></details>");
}

/* When and why, while nothing has been accepted since. */
static void add_failure(struct strbuf *b, const struct group_copy *g)
{
	char time[64];

	if (g->failed_at <= g->pushed_at)
		return;
	time_text((int64_t)(g->failed_at * 1e9), time, sizeof(time));
	strbuf_addf(b, "<p><small>last push failed: %s</small> ", time);
	html_add(b, g->failed_why);
	strbuf_addz(b, "</p>");
}

static void begin_group(struct strbuf *b, const struct group_copy *g, const struct key *key)
{
	strbuf_addz(b, "<details><summary>");
	add_badges(b, key);
	if (g->failed_at > g->pushed_at)
		strbuf_addz(b, "<span class=\"bad\">Last push failed!</span>");
	strbuf_addz(b, "<button data-method=\"DELETE\" data-url=\"");
	add_group_url(b, key);
	strbuf_addz(b, "\" data-ask=\"Delete all metrics of the group ");
	for (uint32_t i = 0; i < key->n_labels; i++) {
		html_add(b, key->labels[i].name);
		strbuf_addz(b, "=&#34;");
		html_add(b, key->labels[i].value);
		strbuf_addz(b, "&#34; ");
	}
	strbuf_addz(b, "?\">Delete Group</button></summary>");
	add_failure(b, g);
}

static void add_count(struct strbuf *b, const struct api *api)
{
	uint64_t n = store_counts(api->store).groups;

	strbuf_addf(b, "<h2>Metrics</h2><p>%llu groups", (unsigned long long)n);
	if (api->config->web_enable_admin_api && n > 0)
		strbuf_addf(b,
			    " <button data-method=\"PUT\" data-url=\"api/v1/admin/wipe\" "
			    "data-ask=\"Delete all %llu groups?\">Delete All Groups</button>",
			    (unsigned long long)n);
	strbuf_addz(b, "</p>");
}

/* How far the page is. */
struct html_page {
	struct api *api;
	uint32_t cursor;
	/* The group at hand, if it is in one. */
	bool in_group;
	struct arena arena;
	struct group_copy group;
	uint32_t at; /* its family at hand */
	bool in_family;
	struct str rest; /* of that one's lines */
};

/* 0: there are no more. -1: no memory. */
static int next_group(struct html_page *p, struct strbuf *b)
{
	struct key key;
	int r;

	arena_reset(&p->arena);
	r = store_copy_group(p->api->store, &p->cursor, &p->arena, &p->group);
	if (r <= 0)
		return r;
	if (key_decode(p->group.key, &p->arena, &key) < 0)
		return -1;
	p->in_group = true;
	p->at = 0;
	begin_group(b, &p->group, &key);
	return 1;
}

/* Some lines at a time. */
static void go_on(struct html_page *p, struct strbuf *b)
{
	const struct group_copy_family *f = &p->group.families[p->at];

	if (p->at == p->group.n_families) {
		strbuf_addz(b, "</details>");
		p->in_group = false;
	} else if (!p->in_family) {
		begin_family(b, f);
		p->rest = f->text;
		p->in_family = true;
	} else if (p->rest.n) {
		html_add(b, str_take_lines(&p->rest, CHUNK));
	} else {
		end_family(b);
		p->in_family = false;
		p->at++;
	}
}

static void *begin(struct api *api)
{
	struct html_page *p = mem_zalloc(sizeof(*p));

	p->api = api;
	arena_init(&p->arena, ARENA_MAY_FAIL);
	return p;
}

static enum body_step step(void *making, struct strbuf *b, int64_t until_ns)
{
	struct html_page *p = making;

	if (b->n == 0) {
		strbuf_addz(b, page_head);
		add_count(b, p->api);
	}
	do {
		int r = 1;

		if (p->in_group)
			go_on(p, b);
		else
			r = next_group(p, b);
		if (r < 0)
			return BODY_FAILED;
		if (r == 0) {
			add_status(b, p->api);
			strbuf_addz(b, page_end);
			return BODY_COMPLETE;
		}
	} while (clock_mono_ns() < until_ns);
	return BODY_UNFINISHED;
}

static void end(void *making)
{
	struct html_page *p = making;

	arena_done(&p->arena);
	free(p);
}

void api_html_page(struct api_worker *w, struct http_request *req)
{
	static const struct body_maker maker = { "text/html; charset=utf-8", begin, step, end };

	page_add_policy(w, req);
	background_reply(w, req, &maker);
}
