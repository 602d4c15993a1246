/* What is to be done with the group that a request pushes to or deletes. */
#ifndef API_PUSH_OPTIONS_H
#define API_PUSH_OPTIONS_H

#include "api/api.h"
#include "push/push.h"

/*
 * What the URL's pairs say, then the first rule of --config.file that matches the key, then the
 * flags. -1: ERR_INVALID.
 */
int api_push_options(const struct config *c, struct current_rules *rules, const struct key *key,
		     const struct key_options *pairs, struct push_options *ret, struct err *err);

#endif
