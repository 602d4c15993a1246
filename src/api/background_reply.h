/* Answers that visit all groups: made on the background thread, in turns. */
#ifndef API_BACKGROUND_REPLY_H
#define API_BACKGROUND_REPLY_H

#include "api/api.h"

enum body_step {
	BODY_UNFINISHED,
	BODY_COMPLETE,
	BODY_FAILED, /* there was no memory: the answer is 503 */
};

/* How a body is made. All on the background thread; any thread's rules for api->store apply. */
struct body_maker {
	const char *content_type;
	/* What it returns may borrow from the request, which is there until it is answered. */
	void *(*begin)(struct api *api, const struct http_request *req);
	/* Appends to the body until it is complete or the clock says until_ns. */
	enum body_step (*step)(void *making, struct strbuf *body, int64_t until_ns);
	void (*end)(void *making); /* after the last step */
};

/* Answers 200 with what the maker makes, or 503 when the background thread has too much to do. */
void background_reply(struct api_worker *w, struct http_request *req,
		      const struct body_maker *maker);

#endif
