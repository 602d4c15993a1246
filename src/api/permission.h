/*
 * Whether a request may do what its endpoint does: who sends it (caller.h), the action of the
 * routing table (endpoints.h) and the group of its path, put to access/roles.h. The one place that
 * refuses for that reason.
 */
#ifndef API_PERMISSION_H
#define API_PERMISSION_H

#include "api/caller.h"
#include "api/endpoints.h"

/*
 * On the worker, before the endpoint's function. True: it has been refused (403, or 401 to whoever
 * has no name). False: it goes on, and w->entry has the labels that complete its key. `e` says
 * whether w->push_path is the group that it is for.
 */
bool permission_refuse(struct api_worker *w, struct http_request *req, const struct endpoint *e,
		       enum action action);

/*
 * Of a stored group, by its canonical bytes, that a selector or a list of groups reaches: any
 * thread that has the request. 1: they may; 0: the group has not the labels that the caller is
 * confined to, and is passed over; -1: ERR_FORBIDDEN with verb and group in *err, or another reason
 * for which it cannot be told.
 * Without `access:` (c is NULL) it is 1. scratch is for the call.
 *
 * An endpoint that changes groups that its path does not name asks this of each of them before it
 * changes any.
 */
int permission_for_group(const struct caller *c, enum access_verb verb, struct str bytes,
			 struct arena *scratch, struct err *err);

/*
 * Of a group that a list of paths names: puts the labels of the caller's entry on, as on the path
 * of a push. -1: ERR_FORBIDDEN when it has another value of one, or another reason. *key is of the
 * arena then. A caller who may not at all finds that out with permission_for_group().
 */
int permission_complete(const struct caller *c, enum access_verb verb, struct arena *a,
			struct key *key, struct err *err);

/* On the worker: logs and counts that ERR_FORBIDDEN of permission_for_group() ends the request. */
void permission_note(struct api_worker *w, const struct http_request *req, const struct err *err);

#endif
