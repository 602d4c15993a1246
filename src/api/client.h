/*
 * Who has sent a request: the peer, or behind a proxy of --web.trusted-proxies whom X-Forwarded-For
 * names. That header is a list to whose end each proxy adds whom it has heard from: its last
 * address that is none of a trusted proxy is believed, what is in front of it may be made up.
 */
#ifndef API_CLIENT_H
#define API_CLIENT_H

#include "api/api.h"

enum { CLIENT_MAX = 128 };

/* The request's worker. "host:port" of the peer, or an address as the header has it. */
void client_name(const struct api *api, const struct http_request *req, char out[CLIENT_MAX]);

#endif
