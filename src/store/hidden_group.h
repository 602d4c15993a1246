/*
 * Reasons of refused pushes name the group that a push contradicts, with all its labels. They stay
 * with the group that was pushed to, and whoever reads that may have no business with the other.
 */
#ifndef STORE_HIDDEN_GROUP_H
#define STORE_HIDDEN_GROUP_H

#include "base/arena.h"
#include "base/str.h"

/* What stands around the other group's key in a reason, and what stands there if it is hidden. */
#define BEFORE_GROUP ": group "
#define BEHIND_GROUP " has it as "
#define ANOTHER_GROUP ": another group"

/*
 * The reason without the other group's key: in the arena, or as it is if there is none in it.
 * STR_NULL: the arena is full.
 */
struct str reason_without_group(struct str why, struct arena *a);

#endif
