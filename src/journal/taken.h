/*
 * Families that rows ROW_TAKE have taken out of groups (store/removal.h), for reading the log from
 * its newest row to its oldest. One thread.
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
/* Notes a ROW_TAKE. -1: the row cannot be read. */
int taken_add(struct taken *t, const struct row *row, struct err *err);
/* Whether the family of that record was taken out later. */
bool taken_has(const struct taken *t, const struct row *record, struct str family);
/* Removes the families of a record that were taken out later from its push. */
void taken_filter(const struct taken *t, const struct row *record, struct push *push);

#endif
