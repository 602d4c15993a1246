/*
 * Makes requests that read wait until everything is shown that any gateway has acknowledged
 * (commit/freshness.h).
 */
#ifndef API_FRESH_H
#define API_FRESH_H

#include "api/api.h"

/*
 * On the worker. FRESH_LATER: then() is called there, later. FRESH_NOW: there is nothing to wait
 * for. FRESH_REFUSED: the request was answered 503, since what is shown has been out of date for
 * too long.
 */
enum fresh_result { FRESH_NOW, FRESH_LATER, FRESH_REFUSED };
enum fresh_result fresh_wait(struct api_worker *w, struct http_request *req,
			     void (*then)(struct api_worker *w, struct http_request *req));

#endif
