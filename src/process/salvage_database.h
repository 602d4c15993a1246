/* A damaged database at start: what can be read of it goes into a new one, which takes its place.
 */
#ifndef PROCESS_SALVAGE_DATABASE_H
#define PROCESS_SALVAGE_DATABASE_H

#include "base/err.h"
#include "store/store.h"

/*
 * Nobody has it open. why: what is wrong with it; for the log, which also gets what came over and
 * what did not. Afterwards there is a sound database at path, or none, and the damaged one is kept.
 * *ret_groups: how many groups came over. -1: *err says what keeps us from it.
 */
int salvage_database(const char *path, const struct err *why, uint64_t *ret_groups,
		     struct err *err);

#endif
