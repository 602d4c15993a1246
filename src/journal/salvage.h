/*
 * Makes a store of the readable rows of a damaged log. Lost rows may have made or ended groups, or
 * had newer values: everything shown was pushed at some time, but may be out of date.
 */
#ifndef JOURNAL_SALVAGE_H
#define JOURNAL_SALVAGE_H

#include "store/store.h"

struct salvage;

struct salvage *salvage_new(void);
void salvage_free(struct salvage *sv);

/* A row that was found, in any order and any number of times, as a carve_fn: copied. */
void salvage_row(void *arg, const struct row *row, bool intact);

struct salvage_counts {
	uint64_t rows;        /* rows that were read */
	uint64_t rows_lost;   /* numbers that are missing between them */
	uint64_t groups_lost; /* groups without a readable push or key */
};

/* Fills an empty store. -1: *err says why nothing could be made of the rows. */
int salvage_into(struct salvage *sv, struct store *store, struct salvage_counts *ret,
		 struct err *err);

/*
 * After salvage_into(): the key of the i-th group of which a damaged row was found; false: there
 * are no more.
 */
bool salvage_harmed_group(const struct salvage *sv, size_t i, struct str *ret_key);

#endif
