/*
 * What takes so long that pushes are committed in between: publishing a removal, and undoing one.
 * One at a time. The committer's thread only.
 */
#ifndef COMMIT_SLICES_H
#define COMMIT_SLICES_H

#include "commit/database.h"
#include "commit/undo.h"
#include "push/push.h"

struct slices {
	struct database *database;
	void (*batch_done)(void); /* or NULL */
	struct push *removing;    /* its removal is committed, and not all of it is published yet */
	struct push *undo;        /* a removal is being undone for it */
	struct undoing *undoing;
};

void slices_init(struct slices *sl, struct database *d, void (*batch_done)(void));

/*
 * The rest of what was begun before has been finished. True: the push gets its verdict with the
 * last slice; false: it has it, and is to be told.
 */
bool slices_begin_removal(struct slices *sl, struct push *push);
bool slices_begin_undo(struct slices *sl, struct push *push);

bool slices_pending(const struct slices *sl);
/* One slice. False: there was nothing to do. */
bool slices_go_on(struct slices *sl);
/* Those of a removal: what others have written is put on top of what is whole. */
void slices_finish_removal(struct slices *sl);
/* All of them. */
void slices_finish(struct slices *sl);

#endif
