/* The removals that can be undone now (store/undo.h). Any thread. */
#ifndef STORE_UNDO_LIST_H
#define STORE_UNDO_LIST_H

#include "base/arena.h"
#include "store/undo.h"

struct store;

struct undo_brief {
	unsigned char id[UNDO_ID];
	double at;         /* Unix seconds: of the removal */
	struct str family; /* empty: whole groups */
	uint64_t n;        /* groups */
};

/*
 * Lists them in the arena, the newest first; now: Unix seconds. Returns how many there are, or -1
 * when the arena is full.
 */
int store_undo_list(struct store *s, double now, struct arena *a, struct undo_brief **ret);

#endif
