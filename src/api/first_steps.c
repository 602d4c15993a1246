#include "api/first_steps.h"

#include "api/html.h"

static void add_block(struct strbuf *b, struct str text)
{
	strbuf_addz(b, "<div class=\"copy\"><pre tabindex=\"0\">");
	html_add(b, text);
	strbuf_addz(b, "</pre><button type=\"button\" class=\"btn\" data-copy hidden>Copy</button>"
		       "</div>");
}

/* Splits "https://host:1/prefix/". */
static void split_address(struct str address, bool *tls, struct str *host, struct str *path)
{
	const char *end = address.p + address.n, *p = memmem(address.p, address.n, "://", 3);
	const char *slash;

	*tls = str_has_prefix(address, STR("https:"));
	p = p ? p + 3 : address.p;
	slash = memchr(p, '/', (size_t)(end - p));
	*host = (struct str){ p, (size_t)((slash ? slash : end) - p) };
	*path = slash ? (struct str){ slash, (size_t)(end - slash) } : STR("/");
}

static void add_scrape_config(struct strbuf *b, const struct config *c, struct str address)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct str host, path;
	bool tls;

	split_address(address, &tls, &host, &path);
	strbuf_addz(&text, "scrape_configs:\n  - job_name: tallygate\n    honor_labels: true\n");
	if (tls)
		strbuf_addz(&text, "    scheme: https\n");
	if (path.n > 1 || strcmp(c->web_telemetry_path, "/metrics") != 0) {
		strbuf_addz(&text, "    metrics_path: ");
		strbuf_add(&text, path.p, path.n - 1);
		strbuf_addf(&text, "%s%s\n", *c->web_telemetry_path == '/' ? "" : "/",
			    c->web_telemetry_path);
	}
	strbuf_addz(&text, "    static_configs:\n      - targets: [\"");
	strbuf_adds(&text, host);
	strbuf_addz(&text, "\"]\n");
	add_block(b, strbuf_str(&text));
}

void page_add_first_steps(struct strbuf *b, const struct config *c, struct str address, bool shown,
			  bool may_push)
{
	CLEANUP(strbuf_done) struct strbuf push = { 0 };

	strbuf_addf(b,
		    "<section class=\"empty\" id=\"empty\"%s><h1>Nothing has been pushed yet</h1>"
		    "<p class=\"dim\">%s</p>",
		    shown ? "" : " hidden",
		    may_push ? "Push a metric; this page shows it within seconds."
			     : "This page shows it within seconds when somebody does.");
	strbuf_addz(&push, "echo \"some_metric 3.14\" | curl --data-binary @- '");
	strbuf_adds(&push, address);
	strbuf_addz(&push, "metrics/job/some_job'");
	if (may_push)
		add_block(b, strbuf_str(&push));
	strbuf_addz(b,
		    "<h2>Let Prometheus scrape it</h2><p class=\"dim\"><code>honor_labels</code> "
		    "keeps the <code>job</code> and <code>instance</code> that were pushed.</p>");
	add_scrape_config(b, c, address);
	strbuf_addz(b, "</section>");
}
