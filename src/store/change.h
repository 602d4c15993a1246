/*
 * A change: the entries that a push, or a deadline, takes out of a group and puts into it. It is
 * made once. The index of series, the rows of the journal and the pages are then updated from it,
 * and a rollback reverses it. The other entries of the group are not looked at.
 *
 * The committer calls, inside a batch and after store_stage() of earlier pushes:
 *
 * - change_begin() for a group that is there, by store_group_find() or made by change_make();
 * - change_put() for a family that comes in, in place of the group's entry of it;
 * - change_take() for a family that goes;
 * - change_take_others(): takes all families that have not been put or taken yet;
 * - change_limited() if the limits of rules hold, as they do for pushes;
 * - change_apply(); on -1 the change contradicts what is stored, and has been undone;
 * - store_step() for the row: a record for an accepted push, or the reason for a refused one.
 *
 * change_end() ends a group. The next change of the batch sees the group as this one has left it.
 * record_new() makes a record for a push, whose messages are the body of its row; the push has to
 * live until the batch is published or rolled back.
 *
 * rows.h lists the rows that a change can become. Another kind of change needs a kind of row of its
 * own, a step that makes it, and a case in restore.c and apply.c.
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

/* For one family: the numbers of the entry that goes and of the one that comes; 0: none. */
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
	bool replaces;      /* all families that it does not name are taken out */
	uint64_t number;    /* counts changes; see store_family.named */
	struct table index; /* by family, once there are more than a few pairs */
};

/*
 * The changes of a batch to a group: all joined into one, from the group as published to the group
 * as it will be. A step is a place in the batch's list of steps, + 1; 0: none.
 */
struct staged {
	struct change net;
	union {
		struct group
			*next; /* the next group of the batch, in the order of their first pushes */
		struct staged *next_spare;
	};
	const struct str *labels; /* as in the exposition; borrowed from a push of the batch */
	bool hides_others;        /* no error about it may name another group */
	bool exists;
	bool end_is_written; /* by a removal: the end needs no row of this batch */
	bool has_left;       /* the net change includes that of the current removal */
	bool replaced; /* an accepted push or a deadline of the batch has taken all entries out */
	bool hidden;   /* while rows of other gateways are applied: all its entries were taken out
			  before */
	bool listed_record; /* while rows are made: one of them is a record of this group */
	uint32_t made,
		ended;   /* steps: the last one that made the group, the first one that ended it */
	uint32_t last;   /* step: the last push that was accepted since `made` */
	uint32_t failed; /* step: the last push that was refused */
	uint32_t lived;  /* step: the last one that changed `life` */
	bool expires;    /* the group expires: its values go */
	struct summed *summed; /* the group as a summed one, as it will be; NULL: it is plain */
	size_t documents; /* of rows that other gateways have written: place + 1 of the newest in
			     store.applied */
	struct life life;
	char life_body[LIFE_BODY]; /* the body of its row */
	uint64_t id;               /* the id that the group will have */
	struct amounts holds;
};

/* Whether the group exists for the next change of the batch. */
static inline bool group_is_there(const struct group *g)
{
	return g->staged ? g->staged->exists : g->exists;
}

/* The number of the group's entry of that family, for the next change of the batch; 0: none. */
uint32_t group_entry(struct store *s, const struct group *g, const struct store_family *f,
		     uint32_t *hint);

/* Makes a group that does not exist, without entries. -1: refused, and it does not exist. */
int change_make(struct store *s, struct group *g, const struct str *labels, double at,
		struct err *err);
void change_end(struct store *s, struct group *g, double at);
/* The same for a group whose end is in a row that is written already. */
void change_leave(struct store *s, struct group *g);

void change_begin(struct store *s, struct group *g);
void change_put(struct store *s, struct record *record, const struct push_family *pf);
void change_take(struct store *s, struct store_family *f);
void change_take_others(struct store *s);
void change_limited(struct store *s);
int change_apply(struct store *s, struct err *err);

/* For a rollback: call the first for all groups of the batch, then the second for all of them. */
void staged_leave_index(struct store *s, const struct group *g);
void staged_restore_index(struct store *s, const struct group *g);
/*
 * Brings the group back to what is published: frees g->staged, and entries that are still staged.
 */
void staged_free(struct store *s, struct group *g);
/* Frees the struct staged that are kept for reuse; when the store is freed. */
void staged_done(struct store *s);

#endif
