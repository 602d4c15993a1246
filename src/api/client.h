/*
 * Who sent a request: the peer, or, if that is one of --web.trusted-proxies, the client that
 * X-Forwarded-For names. Each proxy appends to this header the address it was called from. So the
 * last address that is not a trusted proxy is believed; the client may have made up those before
 * it.
 */
#ifndef API_CLIENT_H
#define API_CLIENT_H

#include "api/api.h"

enum { CLIENT_MAX = 128 };

/* On the request's worker. Writes "host:port" of the peer, or an address as the header has it. */
void client_name(const struct api *api, const struct http_request *req, char out[CLIENT_MAX]);
/*
 * A hash of the address in what client_name() has written, by which a client is told from others:
 * of an IPv6 one its network of 64 bits (http/peers.h), since a client may have all of that. Any
 * thread.
 */
uint64_t client_hash_of(struct str client);
/* The same of a request's client. On the request's worker. */
uint64_t client_hash(const struct api *api, const struct http_request *req);

/*
 * The user whose password was checked, or the first name of a verified client certificate
 * ("cn:ops"); empty: neither. Only after the request has been admitted.
 */
void client_user(const struct api *api, const struct http_request *req, char out[CLIENT_MAX]);

#endif
