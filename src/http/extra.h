/*
 * Connections over a limit. They are accepted so that their first request can be answered 503, and
 * so that the handler can admit probes. If there are many, those that have waited longest without a
 * request are closed to make room for new ones, and so are those whose 503 is written.
 * The worker's thread.
 */
#ifndef HTTP_EXTRA_H
#define HTTP_EXTRA_H

#include "http/conn.h"

/*
 * Counts a connection that has been accepted. False: its client has far too many: the connection is
 * not counted, and the caller closes it at once.
 */
bool extra_enter(struct conn *c);
/* Call when the connection is closed. */
void extra_leave(struct conn *c);

/*
 * Whether this worker can take no more connections: there are too many, and none of its own can
 * make room for another one. Whatever the other workers have, one idle connection of its own is
 * enough.
 */
bool extra_is_full(const struct http_worker *w);

/*
 * At the head of a request: FAULT_NONE, or the limit that it is refused for. By now there may be
 * room within the limit.
 */
enum http_fault extra_judge(struct conn *c);

#endif
