/*
 * Decides whether a request may do what its endpoint does: passes its caller (caller.h), the action
 * of the routing table (endpoints.h) and the group of its path to access/roles.h. The only place
 * that refuses for that reason.
 */
#ifndef API_PERMISSION_H
#define API_PERMISSION_H

#include "api/caller.h"
#include "api/endpoints.h"

/*
 * On the worker, before the endpoint's function. True: the request has been refused (403, or 401
 * without a name). False: it goes on, and w->entry has the labels that complete its key.
 * e->of_group tells whether it concerns the group of w->push_path.
 */
bool permission_refuse(struct api_worker *w, struct http_request *req, const struct endpoint *e,
		       enum action action);

/*
 * For a stored group that a selector or a list matches; bytes: its canonical key. Any thread that
 * has the request. 1: the caller may; 0: the group lacks the labels that the caller is confined to,
 * and is skipped; -1: ERR_FORBIDDEN, which names verb and group, or another reason why it cannot be
 * decided. Without `access:` (c is NULL) it is 1. scratch is used during the call.
 *
 * An endpoint that changes groups that its path does not name asks this for each of them before it
 * changes any.
 */
int permission_for_group(const struct caller *c, enum access_verb verb, struct str bytes,
			 struct arena *scratch, struct err *err);

/*
 * For a group in a list of paths: adds the labels of the caller's entry to its key, as to the path
 * of a push; *key is in the arena then. -1: ERR_FORBIDDEN if it has another value of one, or
 * another reason. Whether the caller may at all is asked with permission_for_group().
 */
int permission_complete(const struct caller *c, enum access_verb verb, struct arena *a,
			struct key *key, struct err *err);

/*
 * On the worker: logs and counts a request that ends with ERR_FORBIDDEN of permission_for_group().
 */
void permission_note(struct api_worker *w, const struct http_request *req, const struct err *err);

#endif
