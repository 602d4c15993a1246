/* The options of the group that a request pushes to or deletes. */
#ifndef API_PUSH_OPTIONS_H
#define API_PUSH_OPTIONS_H

#include "config/group_rules.h"
#include "push/push.h"

struct config;

/*
 * Each option comes from the first of these that gives it: the URL's pairs, its prefix
 * (GROUP_PLAIN: it has none), the first of the rules (NULL: there are none) that matches the key,
 * the flags. Borrows from pairs and rules. *ret_rule: that rule, or NULL. -1: ERR_INVALID.
 */
int api_push_options(const struct config *c, const struct group_rules *rules, const struct key *key,
		     enum group_mode prefix, const struct key_options *pairs,
		     struct push_options *ret, const struct group_rule **ret_rule, struct err *err);

#endif
