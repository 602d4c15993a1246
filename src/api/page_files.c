#include "api/page_files.h"

#include "api/admission.h"
#include "api/endpoints.h"

static const char css[] =
	"body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem}\n"
	"summary{cursor:pointer}\n"
	"details{margin:.4rem 0;border:1px solid #8886;border-radius:4px;padding:.4rem .6rem}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"td,th{border-top:1px solid #8886;padding:.2rem .5rem;text-align:left;"
	"vertical-align:top;overflow-wrap:anywhere}\n"
	"pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}\n"
	".l{background:#8883;border-radius:3px;padding:0 .35rem;margin-right:.3rem}\n"
	".bad{background:#c00;color:#fff;border-radius:3px;padding:0 .35rem}\n"
	"button{float:right}\n"
	"@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}\n";

static const char js[] =
	"document.addEventListener('click', function (e) {\n"
	"\tvar b = e.target;\n"
	"\tif (!b.dataset || !b.dataset.url)\n"
	"\t\treturn;\n"
	"\te.preventDefault();\n"
	"\tif (!confirm(b.dataset.ask))\n"
	"\t\treturn;\n"
	"\tfetch(b.dataset.url, { method: b.dataset.method }).then(function (r) {\n"
	"\t\tif (r.ok)\n"
	"\t\t\tlocation.reload();\n"
	"\t\telse\n"
	"\t\t\tr.text().then(alert);\n"
	"\t}, alert);\n"
	"});\n";

void page_add_policy(struct api_worker *w, struct http_request *req)
{
	static const char name[] = "Content-Security-Policy";

	if (!w->api->admission || !admission_sets_header(w->api->admission, name))
		http_reply_header(req, name, "default-src 'self'; frame-ancestors 'none'");
}

static void reply(struct http_request *req, const char *type, struct str text)
{
	http_reply_header(req, "X-Content-Type-Options", "nosniff");
	http_reply_add(req, text);
	http_reply(req, 200, type);
}

void api_page_css(struct api_worker *w, struct http_request *req)
{
	(void)w;
	reply(req, "text/css; charset=utf-8", STR(css));
}

void api_page_js(struct api_worker *w, struct http_request *req)
{
	(void)w;
	reply(req, "application/javascript; charset=utf-8", STR(js));
}
