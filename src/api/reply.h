/* Answers in plain text. On the worker; those that answer end the request. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/api.h"

void api_reply_text(struct http_request *req, int status, struct str text);
/* Counts the reply, whatever it will be, for that handler. */
void api_count_as(struct http_request *req, enum handler handler);
/* With nosniff and a trailing LF, as the Go gateway's; a 503 says when to try again. */
void api_reply_error(struct http_request *req, int status, const char *msg);

/*
 * Before a reply with this content: gives it an ETag. True: the client has the same already
 * (If-None-Match, RFC 9110 §13.1.2), and the answer is 304 without content.
 */
bool api_is_unchanged(struct http_request *req, struct str content);

/*
 * Any thread: whether replies that are being read hold more than --limits.reply-bytes; if so,
 * counts a refusal.
 */
bool api_is_crowded(struct api *api);
void api_refuse_crowded(struct http_request *req);

#endif
