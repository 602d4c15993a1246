/*
 * The way of a push (a delete and a wipe are one, too) from its worker to the committer, and of its
 * verdict back: the answer, what is counted and what is logged.
 */
#ifndef API_SUBMIT_H
#define API_SUBMIT_H

#include "api/api.h"
#include "push/push.h"

/* On the worker: answers when the push is committed or refused; takes the push. start_ns: when the
 * request came, monotonic. */
void submit_push(struct api_worker *w, struct http_request *req, struct push *push,
		 int64_t start_ns);
/* Answers a push that gets no further, counts it, logs it. group: as text, or empty. */
void submit_refuse(struct api_worker *w, struct http_request *req, enum push_mode mode,
		   struct str group, const struct err *err, enum reject why, int64_t start_ns);

#endif
