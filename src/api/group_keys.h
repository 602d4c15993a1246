/*
 * A list of groups in the body of a request: a line for each, with the path that a push to it has,
 * `/metrics/job/JOB/LABEL/VALUE`. Any thread.
 */
#ifndef API_GROUP_KEYS_H
#define API_GROUP_KEYS_H

#include "api/caller.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/table.h"
#include "metrics/key.h"

enum { GROUP_KEYS_MAX = 1000000 };

/* All zeros: there is no list. */
struct group_keys {
	struct table keys; /* canonical bytes, by their hash */
};

/*
 * Reads the list. A group that is there twice counts once. The keys get the labels of the caller's
 * entry (NULL: none). -1: ERR_INVALID or ERR_FORBIDDEN, which names the line, or ERR_TOO_LARGE for
 * too many groups. scratch is used during the call. Call group_keys_done() in either case.
 */
int group_keys_parse(struct str body, const struct key_limits *lim, const struct caller *caller,
		     struct arena *scratch, struct group_keys *ret, struct err *err);
bool group_keys_has(const struct group_keys *k, struct str key);
void group_keys_done(struct group_keys *k);

#endif
