/*
 * Connections over a limit: their first request is answered 503, unless the handler lets it in all
 * the same. They are let in so that they can be told, and so that a probe comes through; where
 * there are many, those that have waited longest without a request make room for new ones. The
 * worker's thread.
 */
#ifndef HTTP_EXTRA_H
#define HTTP_EXTRA_H

#include "http/conn.h"

/*
 * Counts a connection that has been accepted. False: its client has far too many; it is to be
 * closed at once, and has not been counted.
 */
bool extra_enter(struct conn *c);
/* It is closed. */
void extra_leave(struct conn *c);

/*
 * Whether this worker can take no more connections: there are too many, and none of its own can
 * make room for another one. Whatever the other workers have, one idle connection of its own is
 * enough.
 */
bool extra_is_full(const struct http_worker *w);

/*
 * At the head of a request: FAULT_NONE, or the limit that it is refused for. Those that were too
 * many when it came may have gone by now.
 */
enum http_fault extra_judge(struct conn *c);

#endif
