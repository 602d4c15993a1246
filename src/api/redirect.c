#include "api/redirect.h"

#include "api/html.h"
#include "api/path.h"

bool redirect_is_nearly(struct str path, struct str wanted)
{
	if (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	return str_eq_nocase(path, wanted);
}

void redirect(struct http_request *req, int status, struct str prefix, struct str path,
	      struct str query)
{
	CLEANUP(strbuf_done) struct strbuf location = { 0 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	enum http_method method = http_request_method(req);

	path_escape(prefix, &location);
	path_escape(path, &location);
	if (query.n) {
		strbuf_addc(&location, '?');
		strbuf_adds(&location, query);
	}
	http_reply_header(req, "Location", strbuf_z(&location));
	if (method != HTTP_GET && method != HTTP_HEAD) {
		http_reply(req, status, NULL);
		return;
	}
	strbuf_addz(&body, "<a href=\"");
	html_add(&body, strbuf_str(&location)); /* the query is part of it, as it was sent */
	strbuf_addz(&body, "\">Moved Permanently</a>.\n\n");
	http_reply_add(req, strbuf_str(&body));
	http_reply(req, status, "text/html; charset=utf-8");
}
