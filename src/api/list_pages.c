/*
 * GET /rejections and /cardinality: the frames of two tabs, which the modules of ui/ fill for those
 * who may ask the API. Without a script the page links to the API's answer.
 */
#include "api/endpoints.h"
#include "api/page_shell.h"

static void reply(struct api_worker *w, struct http_request *req, enum page_tab tab,
		  const char *content)
{
	struct strbuf b = { 0 };

	page_begin(&b, w->api, caller_of(req), tab);
	strbuf_addz(&b, "<div class=\"tab\">");
	strbuf_addz(&b, content);
	strbuf_addz(&b,
		    "<p class=\"wrong\" id=\"wrong\" hidden></p><div id=\"lists\"></div></div>");
	page_end(&b);
	page_reply(w, req, 200, &b);
}

void api_rejections_page(struct api_worker *w, struct http_request *req)
{
	if (!caller_may(caller_of(req), VERB_ADMIN)) {
		reply(w, req, TAB_REJECTIONS,
		      "<h1>Changes</h1><p class=\"dim\">What was changed since the gateway "
		      "started; "
		      "the newest first.</p><noscript><p>The list needs JavaScript. As JSON: "
		      "<a href=\"api/v1/changes\">changes</a></p></noscript>");
		return;
	}
	reply(w, req, TAB_REJECTIONS,
	      "<h1>Rejections</h1><p class=\"dim\">Pushes that were refused because of what they "
	      "say, and what was changed, since the gateway started; the newest first.</p>"
	      "<noscript><p>The lists need JavaScript. As JSON: "
	      "<a href=\"api/v1/rejections\">rejections</a>, "
	      "<a href=\"api/v1/changes\">changes</a></p></noscript>");
}

void api_cardinality_page(struct api_worker *w, struct http_request *req)
{
	reply(w, req, TAB_CARDINALITY,
	      "<h1>Cardinality</h1><p class=\"dim\">What most of the stored series and bytes "
	      "belong to.</p>"
	      "<noscript><p>The lists need JavaScript. As JSON: "
	      "<a href=\"api/v1/status/cardinality\">cardinality</a></p></noscript>");
}
