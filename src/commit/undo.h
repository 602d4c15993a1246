/*
 * Undoes a removal (store/undo.h). The removed groups are read from the log, loaded into a store of
 * their own, and staged from there like pushes, some at a time; between two steps pushes are
 * committed. When all are back, a row notes that; until then, and if nothing could come back, the
 * undo can be repeated, and reports groups that are back already. The committer's thread only.
 */
#ifndef COMMIT_UNDO_H
#define COMMIT_UNDO_H

#include "journal/storage.h"
#include "store/store.h"

/* An undo that is asked for, and its result. */
struct undo {
	unsigned char id[UNDO_ID];
	double now; /* Unix seconds */
	/* Asked for each group before any comes back; -1 with *err: nothing is undone. */
	int (*may)(void *arg, struct str key, struct err *err);
	/*
	 * Called for each group, or family of a group, that has not come back as it was. family
	 * empty: the whole group.
	 */
	void (*left_out)(void *arg, struct str key, struct str family, const char *why);
	/*
	 * Whether rules deny a push by now, which is then left out (group_pushes.check); NULL: they
	 * deny nothing.
	 */
	int (*check)(void *arg, const struct key *key, const struct family *families,
		     struct err *err);
	void *arg;
	bool hides_others;   /* whoever asks may not read: left_out() names no other groups */
	uint64_t pass_bytes; /* of rows that are kept in memory at a time; 0: 64 MiB */
	uint64_t restored;   /* groups that are back, or that have the family again */
};

struct undoing;

/* Borrows all but err. NULL: ERR_NOT_FOUND: nothing can be undone under this id. */
struct undoing *undoing_new(struct undo *what, struct storage *st, struct store *s,
			    struct err *err);
void undoing_free(struct undoing *u); /* NULL is fine; not while a batch of it is staged */

enum undo_step {
	UNDO_READING,
	UNDO_LOADED, /* undoing_stage() is next */
	UNDO_DONE,   /* all are back: if any is, store_undone_rows() have to be written */
	UNDO_FAILED, /* *err */
};

/* Does a step without staging anything. The batch before has to be published or rolled back. */
enum undo_step undoing_step(struct undoing *u, struct err *err);
/*
 * Stages the loaded groups. -1: *err, and nothing is staged; otherwise the caller publishes or
 * rolls back. now: Unix seconds.
 */
int undoing_stage(struct undoing *u, double now, struct err *err);
/*
 * Whether the removal can still be undone. -1: *err: no, another gateway has undone it, or has
 * wiped all groups.
 */
int undoing_check(const struct undoing *u, struct err *err);

#endif
