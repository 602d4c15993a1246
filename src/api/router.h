/*
 * Which endpoint a request is for. On the worker of the request.
 */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/api.h"

struct endpoint;

/* Calls the endpoint, or answers that there is none. The body has been read. */
void api_route(struct api_worker *w, struct http_request *req);

/* --web.route-prefix: empty, or "/" and more. */
struct str route_prefix(const struct api_worker *w);
/* GET or HEAD. */
bool request_reads(const struct http_request *req);
/*
 * The endpoint of a path below the route prefix that names a group, which is put into w->push_path.
 * NULL: it names none.
 */
const struct endpoint *route_endpoint_of_group(struct api_worker *w, struct str path);

#endif
