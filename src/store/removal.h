/*
 * Deleting many groups, or one family out of many groups, with one row of the log. Which groups
 * these are is decided at once; when the row is written they are gone for whoever loads the
 * database. In memory they go in slices, so that pushes and scrapes do not wait for all of them: a
 * push to one that is still to go finds it gone (store_stage() sees to that).
 *
 * The committer calls, between two batches: store_removal_decide(), then, if the removal is not a
 * dry run and found something, store_removal_rows(); when these are written
 * store_removal_begin(), otherwise store_removal_drop(). After that store_removal_step() until it
 * says that nothing is left; batches of pushes may come in between, but no wipe, no other removal,
 * and no look after the database.
 */
#ifndef STORE_REMOVAL_H
#define STORE_REMOVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/undo.h"

struct store;
struct row;
struct rows;

struct removal_group {
	uint64_t id;
	uint32_t slot;
	struct str key;
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	bool overdue;
};

struct removal {
	/* 1: it goes, 0: it stays, -1: *err. On the committer's thread. */
	int (*wants)(void *arg, const struct removal_group *g, struct err *err);
	/* Told of each that goes. */
	void (*goes)(void *arg, const struct removal_group *g);
	/*
	 * Told of each that is wanted and keeps the family, because it is summed: the family is
	 * made of what its sources have counted, and would come again. NULL: nobody is told.
	 */
	void (*stays)(void *arg, const struct removal_group *g);
	void *arg;
	struct str family; /* empty: whole groups. Only those that have it are asked about */
	bool dry_run, has_expect;
	uint64_t expect;
	double now;                /* Unix seconds */
	bool can_undo;             /* it is to be written so that it can be undone, by this id */
	unsigned char id[UNDO_ID]; /* random */
	uint64_t n;                /* how many go */
};

/* -1: *err, and nothing is decided. ERR_CONFLICT: there are not as many as expected. */
int store_removal_decide(struct store *s, struct removal *r, struct err *err);
/* Good until the next call. The second: it cannot be undone, where there was no room for that. */
const struct rows *store_removal_rows(struct store *s);
const struct rows *store_removal_rows_without_undo(struct store *s);
void store_removal_begin(struct store *s);
void store_removal_drop(struct store *s);
/* One slice. False: nothing was left. */
bool store_removal_step(struct store *s);
bool store_removal_pending(const struct store *s);

/*
 * A row that another gateway has written, of many groups, in place of deciding: those that it names
 * go with store_removal_step() as here, until nothing is left, and with nothing in between. What is
 * left out (left_out_group.h) goes with the first. -1: it names a group that is not there; *err.
 */
int store_removal_follow(struct store *s, const struct row *row, struct err *err);
/* Does it end many groups, or take a family out of many? */
bool removal_is_of_many(const struct row *row);

/*
 * The body of a row that ends many groups, or of one that takes a family out of many: the next id;
 * *at starts as 0. family: empty for groups. 1, 0: there are no more, -1: this is not what we
 * wrote.
 */
int removal_next_id(struct str body, size_t *at, bool of_family, struct str *ret_family,
		    uint64_t *ret_id);

#endif
