/*
 * Removals (removal.h) that can be undone. The rows of the removed groups stay in the log: cleaning
 * moves them instead of dropping them, as ROW_KEPT, so that they never make a group again by
 * themselves. A row, ROW_UNDO, lists these groups. In memory there are only the ids of the groups,
 * 8 bytes each, until the time is over.
 *
 * The committer undoes a removal (commit/undo.h): it reads the log, and stages the old groups like
 * pushes, so that nothing that applies the log needs to know about undos.
 *
 * The body of ROW_UNDO: the random id of the removal, UNDO_ID bytes; about how many bytes of the
 * log the groups have, 8 bytes with the lowest first; then the same as in the body of ROW_TAKE
 * (removal.h), with an empty family for whole groups, and the ids in ascending order. The removal's
 * own row is the one that was written before it.
 *
 * The committer's thread, or main at start.
 */
#ifndef STORE_UNDO_H
#define STORE_UNDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "store/rows.h"

struct life;
struct push;
struct store;

enum {
	UNDO_ID = 16,       /* bytes */
	UNDO_SECONDS = 600, /* how long a removal can be undone */
	UNDO_MAX = 1000,    /* how many can be undone: the next one ends the oldest */
};

struct undoable {
	unsigned char id[UNDO_ID];
	uint64_t number;   /* of its row when that was first written */
	double at;         /* Unix seconds: of the removal */
	uint64_t bytes;    /* about: of the rows that are kept for it */
	struct str family; /* empty: whole groups */
	size_t n;
	uint64_t groups[]; /* ids, ascending */
};

struct undoable *undoable_copy(const struct undoable *u);
void undoable_free(struct undoable *u); /* NULL is fine */

/* NULL: there is none with this id, or its time is over. Good until the next batch. */
const struct undoable *store_undoable(const struct store *s, const unsigned char id[UNDO_ID],
				      double now);
/* Whether anything can be undone: false while an undo is under way. */
bool store_can_undo(const struct store *s);
bool undoable_has(const struct undoable *u, uint64_t group);
/* Call from time to time: forgets removals whose time is over. */
void store_undo_forget_old(struct store *s, double now);

/*
 * Between two batches: the rows to write to end the undo of this removal, or of all (id NULL); when
 * they are written, store_undo_end().
 */
const struct rows *store_undone_rows(struct store *s, const unsigned char *id, double now);
void store_undo_end(struct store *s, const unsigned char *id);
/* While the log is read for an undo, rows must not move, so nothing is cleaned. */
void store_undo_reading(struct store *s, bool reading);

/* Whether rows of this kind are needed to bring a group back. */
bool undo_restores(enum row_kind kind);

/* ---- bringing back, inside a batch, on top of what it has staged ---- */

/* The id of the group with that key, as published; 0: there is none. */
uint64_t store_group_id(struct store *s, struct str key);
/*
 * Unix seconds: of the group's last successful push; 0: none. An undone group has its earlier time
 * again.
 */
double store_group_pushed_at(struct store *s, struct str key);
/* False: the values of the group have gone because of their age. */
bool store_has_values(struct store *s, struct str key);
bool store_has_family(struct store *s, struct str key, struct str family);
/* Whether a group with this lifetime would end at once. */
bool store_life_is_over(const struct store *s, const struct life *l, int64_t now_ns);
/* Ends the group that this batch has staged, since a push to it has been refused. */
void store_stage_end(struct store *s, const struct push *push);
/*
 * One family comes back to a group that is there, whose times and deadlines stay. times: a push to
 * it without families. Both have to live until the batch is published or rolled back. -1:
 * push->err.
 */
int store_stage_family(struct store *s, struct push *push, struct push *times);

/*
 * Applies a ROW_UNDO or ROW_UNDONE of another gateway, in order (apply.h). -1: the row cannot be
 * read.
 */
int store_apply_undo(struct store *s, const struct row *row);

/* At start, the newest row first: ROW_UNDO and ROW_UNDONE. -1: the row cannot be read. */
int store_restore_undo(struct store *s, const struct row *row);
/* After the last row. now: Unix seconds. */
void store_restore_undo_end(struct store *s, double now);

#endif
