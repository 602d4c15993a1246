/* GET /static/HASH/NAME: what the page loads (ui/files.h); and the page's security policy. */
#ifndef API_PAGE_FILES_H
#define API_PAGE_FILES_H

#include "api/api.h"

/*
 * Content-Security-Policy: only what this gateway serves is loaded, nothing in the page itself
 * runs, no other page frames it. One that --web.config.file sets for all replies takes its place.
 */
void page_add_policy(struct api_worker *w, struct http_request *req);

#endif
