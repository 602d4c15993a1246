/* What is staged of a batch, and of the large push beside it. The committer only. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "store/rows.h"

struct group;
struct left_out_group;
struct push;
struct record;
struct store_family;

/* A row that the batch may write, in the order of the pushes; a later step may make it superfluous.
 */
struct step {
	enum row_kind kind;
	struct group *group;
	struct record *record;           /* of an accepted push */
	struct str why;                  /* of a refused one; borrowed from it */
	struct left_out_group *left_out; /* the group that ends; `group` is NULL then */
	double at;
	uint64_t number; /* of the row; 0: none */
};

/* store_family.newest, before the batch took a family into another group. */
struct was_newest {
	struct store_family *family;
	uint32_t slot;
};

/* The groups and steps of a batch; for those of summed groups see struct summed_work. */
struct batch {
	struct group *touched, *last_touched;
	struct step *steps;
	size_t n_steps, cap_steps;
	struct was_newest *was_newest;
	size_t n_was_newest, cap_was_newest;
};

/* A large push that is being staged (large.c). */
struct large_at_hand {
	struct push *push; /* NULL: there is none */
	struct group *group;
	struct record *record;
	int phase;
	uint32_t at;        /* how far the phase has got */
	uint32_t n_going;   /* entries whose series go or change */
	uint32_t n_gone;    /* pairs whose `out` has left the index */
	size_t n_idle;      /* how many of store.idle are known to be idle */
	int64_t n_series;   /* series that it has added */
	int64_t n_bytes;    /* stored bytes that it has added, those of a new group included */
	bool in_the_way;    /* the large push may have changed the verdict on the push that is being
			       staged */
	struct batch batch; /* its own batch; while a step of it is done, the batch of the others */
};

#endif
