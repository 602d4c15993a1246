/*
 * A change: what one push, or anybody else who decides over a group, takes out of it and puts in.
 * It is worked out once; the index of series, the rows of the journal and the pages all follow it,
 * and reversed it is the rollback. What is not in a change is not looked at.
 *
 * The committer calls, inside a batch and after store_stage() of what came before:
 *
 * - change_begin() for a group that is there, by store_group_find() or made by change_make();
 * - change_put() for a family that comes in: what the group had of it goes;
 * - change_take() for a family that goes;
 * - change_take_others(): all go that have not been named yet;
 * - change_apply(); on -1 the change contradicts what is stored, and is gone;
 * - store_step() for the row that says so: the push of a record, or its refusal.
 *
 * change_end() ends a group. What a change has made of the group is what the next one of the batch
 * finds. record_new() makes a record for a push, whose messages are the body of its row; the push
 * has to live until the batch is published or rolled back.
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

struct store;
struct store_family;

/* Of one family: the entry that goes and the one that comes, as numbers; 0: none. */
struct change_pair {
	struct store_family *family;
	uint32_t out, in;
};

/* Each family is named once. */
struct change {
	struct group *group;
	struct change_pair *pairs;
	uint32_t n, cap;
	uint32_t n_out;     /* pairs with out */
	uint32_t hint;      /* see entries_find() */
	uint64_t number;    /* of all changes: what a family was named by last */
	struct table index; /* of more pairs than a few, by family */
};

/*
 * What the batch makes of a group: all its changes in one, from what is published to what will be.
 * Steps are numbers of the batch's, + 1; 0: none.
 */
struct staged {
	struct change net;
	struct group *next;       /* of the batch, in the order of their first pushes */
	const struct str *labels; /* of the exposition; from a push of the batch */
	bool exists;
	bool end_is_written;   /* by a removal: what is published needs no row for it */
	bool has_left;         /* what the removal at hand does to it is in the net change */
	bool replaced;         /* all entries that it had have gone at some time */
	bool listed_record;    /* the rows of the batch have one for the group already */
	uint32_t made, ended;  /* steps: the last that made it, the first that ended it */
	uint32_t last;         /* step: the last push that was accepted since it was made */
	uint32_t failed;       /* step: the last that was refused */
	uint32_t lived;        /* step: the last that changed its life */
	bool expires;          /* its values go because of its age */
	struct summed *summed; /* as it will be; NULL: the group is plain */
	struct life life;
	char life_body[LIFE_BODY]; /* of its row */
	uint64_t id;               /* that it will have */
};

/* Is the group there for the next change of the batch? */
static inline bool group_is_there(const struct group *g)
{
	return g->staged ? g->staged->exists : g->exists;
}

/* The number of its entry of that family, for the next change of the batch; 0: none. */
uint32_t group_entry(struct store *s, const struct group *g, const struct store_family *f,
		     uint32_t *hint);

/* Brings a group into being that is not there, without entries. -1: refused, it is not there. */
int change_make(struct store *s, struct group *g, const struct str *labels, double at,
		struct err *err);
void change_end(struct store *s, struct group *g, double at);
/* The same for a group whose end a row says that is written already. */
void change_leave(struct store *s, struct group *g);

void change_begin(struct store *s, struct group *g);
void change_put(struct store *s, struct record *record, const struct push_family *pf);
void change_take(struct store *s, struct store_family *f);
void change_take_others(struct store *s);
int change_apply(struct store *s, struct err *err);

/* Reverses what the batch has made of the groups, in two steps; each for all groups, in turn. */
void staged_leave_index(struct store *s, const struct group *g);
void staged_restore_index(struct store *s, const struct group *g);
/* The group is as published; entries that are staged are freed. */
void staged_free(struct store *s, struct group *g);

#endif
