/*
 * A backup, as the committer makes it: its thread owns the database, and copies it in steps between
 * two batches. One at a time.
 */
#ifndef COMMIT_COPYING_H
#define COMMIT_COPYING_H

#include "journal/storage.h"
#include "push/push.h"

/* All zeros: none is being made. */
struct copying {
	struct push *push; /* PUSH_BACKUP, for which it is made */
};

/* storage NULL: memory only. False: the push has its verdict. Otherwise it gets it with a step. */
bool copying_begin(struct copying *c, struct storage *storage, struct push *push);
/* While there is one. The push, when it has its verdict; NULL: it goes on. */
struct push *copying_step(struct copying *c, struct storage *storage);
/* The gateway stops, which is not to take as long as that. The push, if there was one. */
struct push *copying_give_up(struct copying *c, struct storage *storage);

#endif
