/*
 * Publishing a removal, and undoing one, in slices, between which pushes are committed. A removal
 * that another gateway has decided (journal/apply.h) is published in the same way. One at a time.
 * The committer's thread only.
 */
#ifndef COMMIT_SLICES_H
#define COMMIT_SLICES_H

#include "commit/database.h"
#include "commit/undo.h"
#include "push/push.h"

struct slices {
	struct database *database;
	void (*batch_done)(void); /* or NULL */
	struct push *removing; /* its removal is committed, but not yet published as a whole; NULL:
				  that of another gateway may be */
	struct push *undo;     /* asks for the undo that is under way */
	struct undoing *undoing;
};

void slices_init(struct slices *sl, struct database *d, void (*batch_done)(void));

/*
 * Begin a removal or an undo; an earlier one must be finished. True: the push gets its verdict with
 * the last slice; false: it has it already, and the caller answers.
 */
bool slices_begin_removal(struct slices *sl, struct push *push);
bool slices_begin_undo(struct slices *sl, struct push *push);

bool slices_pending(const struct slices *sl);
/* One slice. False: there was nothing to do. */
bool slices_go_on(struct slices *sl);
/* All slices of a removal. Nothing may be staged. */
void slices_finish_removal(struct slices *sl);
/* All slices. */
void slices_finish(struct slices *sl);

#endif
