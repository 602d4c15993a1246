/*
 * Undoing a removal (store/undo.h). The groups that it has taken are read from the log, loaded into
 * a store of their own, and staged from there as pushes are, some at a time: between two steps
 * pushes are committed. When all are back a row says that this has been done; until then, and
 * if nothing could come back, it can be done again, and names those that are back already. The
 * committer's thread only.
 */
#ifndef COMMIT_UNDO_H
#define COMMIT_UNDO_H

#include "journal/storage.h"
#include "store/store.h"

/* What is asked for, and what came of it. */
struct undo {
	unsigned char id[UNDO_ID];
	double now; /* Unix seconds */
	/* Asked for each before any comes back; -1 with *err: nothing is undone. */
	int (*may)(void *arg, struct str key, struct err *err);
	/* Told of each group, or family of a group, that has not come back as it was. family:
	 * empty: all of it. */
	void (*left_out)(void *arg, struct str key, struct str family, const char *why);
	/* What rules deny by now is left out (group_pushes.check); NULL: they deny nothing. */
	int (*check)(void *arg, const struct key *key, const struct family *families,
		     struct err *err);
	void *arg;
	uint64_t pass_bytes; /* of rows that are kept in memory at a time; 0: 64 MiB */
	uint64_t restored;   /* groups, or groups that have the family again */
};

struct undoing;

/* NULL: *err, ERR_NOT_FOUND: there is nothing to be undone under this id. Borrows all. */
struct undoing *undoing_new(struct undo *what, struct storage *st, struct store *s,
			    struct err *err);
void undoing_free(struct undoing *u); /* NULL is fine; not while a batch of it is staged */

enum undo_step {
	UNDO_READING,
	UNDO_LOADED, /* undoing_stage() is next */
	UNDO_DONE,   /* all are back: unless that is none, store_undone_rows() are to be written */
	UNDO_FAILED, /* *err */
};

/* Stages nothing. The batch before has been published or rolled back. */
enum undo_step undoing_step(struct undoing *u, struct err *err);
/*
 * What was loaded. -1: *err, and nothing is staged; otherwise it has to be published or rolled
 * back. now: Unix seconds.
 */
int undoing_stage(struct undoing *u, double now, struct err *err);
/* -1: *err: it cannot be undone any more, as another gateway has done it, or has wiped all. */
int undoing_check(const struct undoing *u, struct err *err);

#endif
