/* Answers that look at all groups, made on the background thread, in turns. */
#ifndef API_BACKGROUND_REPLY_H
#define API_BACKGROUND_REPLY_H

#include "api/api.h"

enum body_step {
	BODY_UNFINISHED,
	BODY_COMPLETE,
	BODY_FAILED, /* there was no memory: the answer is 503 */
};

/*
 * How a body is made. All functions are called on the background thread, which may use api->store
 * as any thread may.
 */
struct body_maker {
	const char *content_type;
	/* The result may borrow from the request, which exists until it is answered. */
	void *(*begin)(struct api *api, const struct http_request *req);
	/* Appends to the body until it is complete or until_ns has come. */
	enum body_step (*step)(void *making, struct strbuf *body, int64_t until_ns);
	void (*end)(void *making); /* after the last step */
};

/*
 * Answers 200 with the body that the maker makes, or 503 when the background thread has too much to
 * do.
 */
void background_reply(struct api_worker *w, struct http_request *req,
		      const struct body_maker *maker);

#endif
