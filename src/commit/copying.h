/*
 * A backup. The committer makes it, since its thread owns the database, in steps between two
 * batches. One at a time.
 */
#ifndef COMMIT_COPYING_H
#define COMMIT_COPYING_H

#include "journal/storage.h"
#include "push/push.h"

/* All zeros: no backup is being made. */
struct copying {
	struct push *push; /* the PUSH_BACKUP that has asked for it */
};

/* storage NULL: memory only. False: the push has its verdict already; otherwise a step gives it. */
bool copying_begin(struct copying *c, struct storage *storage, struct push *push);
/*
 * Does a step of the backup that is being made. Returns the push once it has its verdict; NULL: the
 * backup goes on.
 */
struct push *copying_step(struct copying *c, struct storage *storage);
/* Gives up a backup, because the gateway stops. Returns its push, or NULL if there was none. */
struct push *copying_give_up(struct copying *c, struct storage *storage);

#endif
