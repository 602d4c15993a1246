/*
 * Which families have gone out of which groups by rows that take one out of many (store/removal.h).
 * Of use while the log is read from its newest row to its oldest. One thread.
 */
#ifndef JOURNAL_TAKEN_H
#define JOURNAL_TAKEN_H

#include "base/err.h"
#include "base/table.h"
#include "store/rows.h"

struct push;

struct taken {
	struct table table; /* by the id of the group */
	struct taken_row **rows;
	size_t n, cap;
};

void taken_done(struct taken *t);
/* -1: the row is not what we wrote. */
int taken_add(struct taken *t, const struct row *row, struct err *err);
/* Has the family of that record gone? */
bool taken_has(const struct taken *t, const struct row *record, struct str family);
/* Leaves those families of the record out of its push. */
void taken_filter(const struct taken *t, const struct row *record, struct push *push);

#endif
