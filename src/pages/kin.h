/*
 * Families that are one in OpenMetrics: client_python pushes the time when the counter x_total, the
 * histogram or the summary x began as a gauge x_created, which is a sample of the family x there
 * (OpenMetrics 1.0, "Counter": Created). Families know one another by their names as pushed,
 * whatever they hold; what they are to one another depends on what is published. Only the committer
 * changes anything, under the lock of the pages (pages.h).
 */
#ifndef PAGES_KIN_H
#define PAGES_KIN_H

#include <stdbool.h>

#include "pages/entry.h"

struct shown_family;
struct pages;

/* What x_created is of. */
enum kin_of {
	KIN_BASE,  /* x, a histogram or summary */
	KIN_TOTAL, /* x_total, a counter, unless there is such an x */
	N_KIN_OF,
};

struct kin {
	struct shown_family
		*created[N_KIN_OF];        /* of a family: its x_created, as x and as x_total */
	struct shown_family *of[N_KIN_OF]; /* of x_created: its x and its x_total */
};

enum kinship {
	KINSHIP_NONE,
	KINSHIP_HAS,      /* the other one is its times of creation */
	KINSHIP_OF_BASE,  /* it is those of the other one, an x */
	KINSHIP_OF_TOTAL, /* it is those of the other one, an x_total */
	N_KINSHIPS,
};

/* What f is as published, to *ret_other. */
enum kinship kin_find(const struct shown_family *f, const struct shown_family **ret_other);

/* The entry that the same group has of another family, as published; NULL: none with lines. */
const struct lines *kin_lines(const struct pages *p, const struct entry *e,
			      const struct shown_family *other);

/* Takes two families together, or the family from all of its kin. */
void kin_join(struct shown_family *f, struct shown_family *created, enum kin_of of);
void kin_leave(struct shown_family *f);

#endif
