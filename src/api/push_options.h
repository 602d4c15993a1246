/* What is to be done with the group that a request pushes to or deletes. */
#ifndef API_PUSH_OPTIONS_H
#define API_PUSH_OPTIONS_H

#include "config/group_rules.h"
#include "push/push.h"

struct config;

/*
 * What the URL's pairs say, then its prefix (GROUP_PLAIN: it has none), then the first of the rules
 * (NULL: there are none) that matches the key, then the flags. Borrows from pairs and rules.
 * ret_rule: that rule, or NULL in it when none does. -1: ERR_INVALID.
 */
int api_push_options(const struct config *c, const struct group_rules *rules, const struct key *key,
		     enum group_mode prefix, const struct key_options *pairs,
		     struct push_options *ret, const struct group_rule **ret_rule, struct err *err);

#endif
