/*
 * What the tabs of the page share: its head, the way from tab to tab, and how one is sent. All
 * links are relative, so that they work below any prefix and behind any proxy.
 */
#ifndef API_PAGE_SHELL_H
#define API_PAGE_SHELL_H

#include "api/api.h"
#include "api/caller.h"
#include "base/str.h"

enum page_tab { TAB_GROUPS, TAB_REJECTIONS, TAB_CARDINALITY, TAB_STATUS, N_TABS };

/*
 * Any thread: the page up to where the tab's own content begins, and what follows it. It says what
 * whoever reads it may do (NULL: everything), so that the modules offer nothing else.
 */
void page_begin(struct strbuf *b, const struct api *api, const struct caller *reader,
		enum page_tab tab);
void page_end(struct strbuf *b);

/*
 * On the worker. Where pushers reach the gateway, with a slash at the end: --web.external-url, or
 * what the request was sent to.
 */
void page_add_address(struct strbuf *out, const struct api_worker *w,
		      const struct http_request *req);

/* On the worker; ends the request. Compressed if the client asks for it. */
void page_reply(struct api_worker *w, struct http_request *req, int status, struct str html);

#endif
