#include "api/page_shell.h"

#include <stdlib.h>

#include "api/admission.h"
#include "api/html.h"
#include "api/page_files.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "codec/compress.h"
#include "config/config.h"
#include "format/content_type.h"
#include "ui/files.h"
#include "version.h"

/* A name of DNS (RFC 1035 section 2.3.4), a colon and a port are shorter. */
enum { HOST_MAX = 261 };

static const struct {
	const char *name, *title, *href;
} tabs[N_TABS] = {
	[TAB_GROUPS] = { "groups", "Groups", "./" },
	[TAB_REJECTIONS] = { "rejections", "Rejections", "rejections" },
	[TAB_CARDINALITY] = { "cardinality", "Cardinality", "cardinality" },
	[TAB_STATUS] = { "status", "Status", "status" },
};

static void add_file(struct strbuf *b, const char *before, const char *name, const char *after)
{
	strbuf_addf(b, "%sstatic/%s/%s%s", before, ui_files_hash(), name, after);
}

static void add_head(struct strbuf *b, enum page_tab tab)
{
	strbuf_addf(b,
		    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		    "<meta name=\"color-scheme\" content=\"light dark\">"
		    "<meta name=\"robots\" content=\"noindex,nofollow\">"
		    "<title>Tallygate · %s</title>",
		    tabs[tab].title);
	add_file(b, "<link rel=\"icon\" type=\"image/svg+xml\" href=\"", "icon.svg", "\">");
	add_file(b, "<link rel=\"stylesheet\" href=\"", "page.css", "\">");
	add_file(b, "<script type=\"module\" src=\"", "page.js", "\"></script></head>");
}

static void add_tabs(struct strbuf *b, const struct caller *reader, enum page_tab tab)
{
	bool admin = caller_may(reader, VERB_ADMIN);

	strbuf_addz(b, "<nav aria-label=\"Tabs\">");
	for (int i = 0; i < N_TABS; i++)
		strbuf_addf(b, "<a href=\"%s\"%s>%s</a>", tabs[i].href,
			    i == (int)tab ? " aria-current=\"page\"" : "",
			    i == TAB_REJECTIONS && !admin ? "Changes" : tabs[i].title);
	strbuf_addz(b, "</nav>");
}

void page_begin(struct strbuf *b, const struct api *api, const struct caller *reader,
		enum page_tab tab)
{
	const struct config *c = api->config;

	add_head(b, tab);
	strbuf_addf(b, "<body data-tab=\"%s\"", tabs[tab].name);
	if (*c->web_external_url) {
		strbuf_addz(b, " data-external=\"");
		html_add(b, str_of(c->web_external_url));
		strbuf_addc(b, '"');
	}
	if (c->push_enable_utf8_names)
		strbuf_addz(b, " data-utf8-names");
	if (reader) {
		strbuf_addz(b, " data-may=\"");
		caller_add_verbs(reader, false, b);
		strbuf_addc(b, '"');
	}
	strbuf_addz(b, "><a class=\"skip\" href=\"#main\">To the content</a><header>"
		       "<a class=\"brand\" href=\"./\">Tallygate<small>" VERSION "</small></a>");
	add_tabs(b, reader, tab);
	strbuf_addz(b, "<span class=\"who\"><span class=\"lost\" id=\"lost\" hidden></span> "
		       "<span class=\"info\"><span id=\"when\"></span>up <span id=\"up\">");
	html_add_duration(b, (double)(clock_wall_ns() - api->started_ns) / 1e9);
	strbuf_addz(b, "</span></span></span></header><main id=\"main\" tabindex=\"-1\">");
}

void page_end(struct strbuf *b)
{
	strbuf_addz(b, "</main><div id=\"live\" class=\"away\" aria-live=\"polite\"></div>"
		       "</body></html>\n");
}

static bool names_a_host(const char *url)
{
	return strstr(url, "://") != NULL;
}

void page_add_address(struct strbuf *out, const struct api_worker *w,
		      const struct http_request *req)
{
	const struct config *c = w->api->config;
	struct str host = http_request_header(req, "Host");

	/* The page repeats it. */
	if (host.n == 0 || host.n > HOST_MAX)
		host = STR("localhost");
	if (names_a_host(c->web_external_url)) {
		strbuf_addz(out, c->web_external_url);
	} else {
		bool tls = w->api->admission && admission_uses_tls(w->api->admission);

		strbuf_addz(out, tls ? "https://" : "http://");
		strbuf_adds(out, host);
		strbuf_addz(out, c->web_route_prefix);
	}
	if (out->p[out->n - 1] != '/')
		strbuf_addc(out, '/');
}

/* Puts the compressed form in place of what is in b. */
static void compress(struct strbuf *b)
{
	struct compressor *c = compressor_new();
	CLEANUP(bytes_unrefp) struct bytes *piece = compress_piece(c, COMPRESS_GZIP, strbuf_str(b));
	struct compress_stream stream;
	char tail[COMPRESS_TAIL];
	struct strbuf packed = { 0 };

	strbuf_adds(&packed, compress_head(&stream, COMPRESS_GZIP));
	strbuf_adds(&packed, compress_join(&stream, piece));
	strbuf_add(&packed, tail, compress_tail(&stream, tail));
	compressor_free(c);
	strbuf_done(b);
	*b = packed;
}

/* Called when the reply has been sent, or its client is gone. */
static void release(void *arg)
{
	struct strbuf *body = arg;

	bytes_detached_add(-(int64_t)body->n);
	strbuf_done(body);
	free(body);
}

void page_reply(struct api_worker *w, struct http_request *req, int status, struct strbuf *html)
{
	struct str accept = http_request_header(req, "Accept-Encoding");
	struct strbuf *body = mem_zalloc(sizeof(*body));

	page_add_policy(w, req);
	http_reply_header(req, "Vary", "Accept-Encoding");
	if (negotiate_compression(accept) == COMPRESS_GZIP) {
		compress(html);
		http_reply_header(req, "Content-Encoding", "gzip");
	}
	*body = *html;
	*html = (struct strbuf){ 0 };
	bytes_detached_add((int64_t)body->n);
	http_reply_ref(req, strbuf_str(body), release, body);
	http_reply(req, status, "text/html; charset=utf-8");
}
