/* Answers that are made on the background thread: whatever visits all groups. */
#ifndef API_BACKGROUND_REPLY_H
#define API_BACKGROUND_REPLY_H

#include "api/api.h"

/* Makes the body; any thread's rules for api->store apply, nothing of the request may be touched.
 */
typedef void (*make_body_fn)(struct api *api, struct strbuf *body);

/* Answers 200 with what make() appends, or 503 when the background thread has too much to do. */
void background_reply(struct api_worker *w, struct http_request *req, const char *content_type,
		      make_body_fn make);

#endif
