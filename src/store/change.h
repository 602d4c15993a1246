/*
 * A change: which entries a push, or a deadline, takes out of a group and puts into it. It is
 * worked out once. The index of series, the rows of the journal and the pages are then updated from
 * it, and a rollback reverses it. The rest of the group is not looked at.
 *
 * The committer calls, inside a batch and after store_stage() of what came before:
 *
 * - change_begin() for a group that is there, by store_group_find() or made by change_make();
 * - change_put() for a family that comes in, in place of what the group had of it;
 * - change_take() for a family that goes;
 * - change_take_others(): all families go that have not been put or taken yet;
 * - change_limited() if the limits of rules hold, as they do for whatever is pushed;
 * - change_apply(); on -1 the change contradicts what is stored, and has been undone;
 * - store_step() for the row: a record for an accepted push, or the reason for a refused one.
 *
 * change_end() ends a group. The next change of the batch sees the group as this one has left it.
 * record_new() makes a record for a push, whose messages are the body of its row; the push has to
 * live until the batch is published or rolled back.
 *
 * rows.h lists what the log can say: that families of a record take the place of those of that
 * name, that all else goes, and that a group ends. Another kind of change (one family goes, a
 * deadline) needs a kind of row of its own, a step that makes it, and a case in restore.c; a
 * deadline is then a time of the group beside last and failure.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/table.h"
#include "pages/group.h"
#include "store/rows.h"
#include "store/rule_limits.h"

struct store;
struct store_family;

/* One family: the numbers of the entry that goes and of the one that comes; 0: none. */
struct change_pair {
	struct store_family *family;
	uint32_t out, in;
};

/* Has at most one pair for each family. */
struct change {
	struct group *group;
	struct change_pair *pairs;
	uint32_t n, cap;
	uint32_t n_out;     /* pairs with out */
	uint32_t hint;      /* see entries_find() */
	bool limited;       /* the limits of rules hold */
	bool replaces;      /* all families go that it does not name */
	uint64_t number;    /* counts changes; see store_family.named */
	struct table index; /* by family, once there are more than a few pairs */
};

/* What the batch changes in a group: all its changes joined in one, between the group as published
 * and as it will be. A step is a place in the batch's list of steps, + 1; 0: none.
 */
struct staged {
	struct change net;
	union {
		struct group *next; /* of the batch, in the order of their first pushes */
		struct staged *next_spare;
	};
	const struct str *labels; /* of the exposition; from a push of the batch */
	bool exists;
	bool end_is_written; /* by a removal: what is published needs no row for it */
	bool has_left;       /* what the removal at hand does to it is in the net change */
	bool replaced; /* an accepted push or a deadline of the batch has taken all entries out */
	bool hidden;   /* rows of others are applied, and what it had was taken out before them */
	bool listed_record;    /* while rows are made: one has a record of this group */
	uint32_t made, ended;  /* steps: the last that made it, the first that ended it */
	uint32_t last;         /* step: the last push that was accepted since it was made */
	uint32_t failed;       /* step: the last that was refused */
	uint32_t lived;        /* step: the last that changed its life */
	bool expires;          /* it expires: its values go */
	struct summed *summed; /* as it will be; NULL: the group is plain */
	size_t documents;      /* of rows that others have written: the newest one's place + 1 */
	struct life life;
	char life_body[LIFE_BODY]; /* of its row */
	uint64_t id;               /* that the group will have */
	struct amounts holds;
};

/* For the next change of the batch: does the group exist? */
static inline bool group_is_there(const struct group *g)
{
	return g->staged ? g->staged->exists : g->exists;
}

/* For the next change of the batch: the number of its entry of that family; 0: none. */
uint32_t group_entry(struct store *s, const struct group *g, const struct store_family *f,
		     uint32_t *hint);

/* Makes a group that does not exist, without entries. -1: refused, and it does not exist. */
int change_make(struct store *s, struct group *g, const struct str *labels, double at,
		struct err *err);
void change_end(struct store *s, struct group *g, double at);
/* The same for a group whose end a row says that is written already. */
void change_leave(struct store *s, struct group *g);

void change_begin(struct store *s, struct group *g);
void change_put(struct store *s, struct record *record, const struct push_family *pf);
void change_take(struct store *s, struct store_family *f);
void change_take_others(struct store *s);
void change_limited(struct store *s);
int change_apply(struct store *s, struct err *err);

/* A rollback: the first for all groups of the batch, and then the second for all of them. */
void staged_leave_index(struct store *s, const struct group *g);
void staged_restore_index(struct store *s, const struct group *g);
/* The group is again as published: frees g->staged, and entries still staged. */
void staged_free(struct store *s, struct group *g);
/* With the store: those that are kept for the next pushes. */
void staged_done(struct store *s);

#endif
