/*
 * Hides request targets that may hold a value that a rule's deny_values denies: in paths that name
 * no group, deletes, selectors, and requests that are refused before their rule is known.
 */
#ifndef API_DENIED_TARGET_H
#define API_DENIED_TARGET_H

#include <stdbool.h>

#include "base/str.h"

struct api;

#define TARGET_NOT_SHOWN STR("(not shown)")

/*
 * Any thread. Whether one of the values in the target, as sent, matches deny_values of any rule, or
 * whether that takes too long to find out.
 */
bool target_is_denied(const struct api *api, struct str target);

/* Any thread. Whether there is a rule with deny_values. */
bool any_value_is_denied(const struct api *api);

/* The target, or TARGET_NOT_SHOWN. */
static inline struct str target_shown(const struct api *api, struct str target)
{
	return target_is_denied(api, target) ? TARGET_NOT_SHOWN : target;
}

#endif
