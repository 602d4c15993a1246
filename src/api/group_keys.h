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
	struct arena arena;
	struct str rest; /* what has yet to be read; borrowed */
	uint32_t line;   /* the last one that was read */
};

struct group_keys_limits {
	struct key_limits key;
	size_t line; /* bytes */
};

void group_keys_begin(struct group_keys *k, struct str body);
/*
 * Reads some lines of the list. A group that is there twice counts once.
 * The keys get the labels of the caller's entry (NULL: none). 1: all is read; 0: there is more of
 * it; -1: ERR_INVALID, ERR_FORBIDDEN or ERR_TOO_LARGE, which names the line, or ERR_TOO_LARGE for
 * too many groups. scratch is used during the call. Call group_keys_done() in any case.
 */
int group_keys_read(struct group_keys *k, const struct group_keys_limits *lim,
		    const struct caller *caller, struct arena *scratch, struct err *err);
bool group_keys_has(const struct group_keys *k, struct str key);
void group_keys_done(struct group_keys *k);

#endif
