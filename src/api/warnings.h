/*
 * Warnings for the pusher of an accepted push: as a header of the reply, as a counter and in the
 * log.
 */
#ifndef API_WARNINGS_H
#define API_WARNINGS_H

#include "api/api.h"
#include "push/push.h"

/* On the worker, before the reply. */
void warnings_say(struct api_worker *w, struct http_request *req, const struct push *push);

#endif
