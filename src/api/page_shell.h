/*
 * Shared by the tabs of the page: its head, the links between tabs, and sending a tab. All links
 * are relative, so that they work below any prefix and behind any proxy.
 */
#ifndef API_PAGE_SHELL_H
#define API_PAGE_SHELL_H

#include "api/api.h"
#include "api/caller.h"
#include "base/str.h"

enum page_tab { TAB_GROUPS, TAB_REJECTIONS, TAB_CARDINALITY, TAB_STATUS, N_TABS };

/*
 * Any thread: append the page up to the tab's own content, and the end of the page. The page lists
 * what its reader may do (NULL: everything), so that the modules offer nothing else.
 */
void page_begin(struct strbuf *b, const struct api *api, const struct caller *reader,
		enum page_tab tab);
void page_end(struct strbuf *b);

/*
 * On the worker. Appends the URL under which pushers reach the gateway, with a slash at the end:
 * --web.external-url, or the host of the request, if it is no longer than a host can be.
 */
void page_add_address(struct strbuf *out, const struct api_worker *w,
		      const struct http_request *req);

/*
 * On the worker; ends the request, and takes what is in html. Compressed if the client asks for it.
 * It counts as detached (base/bytes.h) until the client has read it.
 */
void page_reply(struct api_worker *w, struct http_request *req, int status, struct strbuf *html);

#endif
