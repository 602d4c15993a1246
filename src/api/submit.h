/*
 * Takes a push (or a delete, or a wipe) from its worker to the committer, and the verdict back:
 * answers, counts and logs.
 */
#ifndef API_SUBMIT_H
#define API_SUBMIT_H

#include "api/api.h"
#include "push/push.h"

/* The message of a push that is refused because it would wait too long. */
#define SUBMIT_BUSY "write queue is full, try again (--push.queue-size)"

/* On the worker: takes the push, and answers when it is committed or refused. start_ns: when the
 * request came, monotonic.
 */
void submit_push(struct api_worker *w, struct http_request *req, struct push *push,
		 int64_t start_ns);
/* Answers, counts and logs a push that is refused before the committer. group: as text, or empty.
 */
void submit_refuse(struct api_worker *w, struct http_request *req, enum push_mode mode,
		   struct str group, const struct err *err, enum reject why, int64_t start_ns);
/* Answers a refused dry run, which is neither counted as a push nor logged. */
void submit_refuse_dry_run(struct http_request *req, const struct err *err);

#endif
