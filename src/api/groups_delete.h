/* DELETE of many groups; DELETE /api/v1/groups is in endpoints.h. */
#ifndef API_GROUPS_DELETE_H
#define API_GROUPS_DELETE_H

#include "api/api.h"

/*
 * Deletes the group with that key (canonical bytes), and all that have the same labels and more;
 * answers 202. On the worker.
 */
void groups_delete_within(struct api_worker *w, struct http_request *req, struct str key);

#endif
