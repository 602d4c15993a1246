/*
 * Pages of other sites cannot change anything with a password that a browser remembers. Browsers
 * say where a request comes from (Fetch Metadata, Sec-Fetch-Site; RFC 6454 section 7, Origin);
 * programs send neither, and are not asked.
 */
#ifndef API_SAME_SITE_H
#define API_SAME_SITE_H

#include "api/api.h"

/* For a request that changes something. False: *err (ERR_FORBIDDEN) says why not. */
bool same_site_allows(const struct api *api, const struct http_request *req, struct err *err);

#endif
