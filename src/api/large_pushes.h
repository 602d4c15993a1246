/*
 * Large pushes are decoded on threads of their own, since other requests of an event loop would
 * have to wait. There are as many of these threads as HTTP workers, and a limit on the pushes that
 * wait.
 */
#ifndef API_LARGE_PUSHES_H
#define API_LARGE_PUSHES_H

#include "api/api.h"
#include "api/read_push.h"

struct large_pushes;

struct large_pushes *large_pushes_start(const struct config *config, struct current_rules *rules,
					unsigned threads, struct err *err);
/* Decodes all pushes that wait, and ends the threads. NULL is fine. */
void large_pushes_stop(struct large_pushes *l);
/*
 * For a watchdog: false when there was something to do and no push was decoded since the last call.
 */
bool large_pushes_beats(struct large_pushes *l);

/*
 * Whether decoding the push would block an event loop for more than some milliseconds. If not, a
 * compressed body is replaced by what it holds, in *plain, unless it cannot be decompressed, of
 * which read_push() finds the reason.
 */
bool large_pushes_is_one(struct push_request *request, const struct config *config,
			 struct strbuf *plain);
/*
 * On the worker: takes a push, which is answered later. The request's bytes do not move until then;
 * the path is copied. False: too many wait.
 */
bool large_pushes_add(struct large_pushes *l, struct api_worker *w, struct http_request *req,
		      const struct push_request *request, int64_t start_ns);

#endif
