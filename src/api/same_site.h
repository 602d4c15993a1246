/*
 * Keeps pages of other sites from changing anything with a password that a browser remembers.
 * Browsers tell where a request comes from (Fetch Metadata, Sec-Fetch-Site; RFC 6454 section 7,
 * Origin); requests without both headers come from programs, and are allowed.
 */
#ifndef API_SAME_SITE_H
#define API_SAME_SITE_H

#include "api/api.h"

/* For a request that changes something. False: *err (ERR_FORBIDDEN) says why not. */
bool same_site_allows(const struct api *api, const struct http_request *req, struct err *err);

#endif
