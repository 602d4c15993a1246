/* Answers a scrape of a part of what is stored, in the format and coding that it asks for. */
#ifndef API_SCRAPE_CALL_H
#define API_SCRAPE_CALL_H

#include "api/api.h"
#include "api/scrape_part.h"

/* On the worker: answers the request, later. Takes over the part. */
void scrape_call_part(struct api_worker *w, struct http_request *req, struct scrape_part *part);

#endif
