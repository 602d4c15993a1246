/*
 * Families that are one family in OpenMetrics: client_python pushes the creation time of the
 * counter x_total, the histogram or the summary x as a gauge x_created, which OpenMetrics has as a
 * sample of the family x (OpenMetrics 1.0, "Counter": Created). Families are linked by their names
 * as pushed, whatever their types are; the published types decide what the link means. Only the
 * committer changes links, under the lock of the pages (pages.h).
 */
#ifndef PAGES_KIN_H
#define PAGES_KIN_H

#include <stdbool.h>

#include "pages/entry.h"

struct shown_family;
struct pages;

/* The family whose creation times x_created holds. */
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
	KINSHIP_HAS,      /* the other family holds its creation times */
	KINSHIP_OF_BASE,  /* it holds the creation times of the other family, x */
	KINSHIP_OF_TOTAL, /* it holds the creation times of the other family, x_total */
	N_KINSHIPS,
};

/* What f, as published, is to *ret_other. */
enum kinship kin_find(const struct shown_family *f, const struct shown_family **ret_other);

/* The published lines that the group of e has of another family; NULL: none. */
const struct lines *kin_lines(const struct pages *p, const struct entry *e,
			      const struct shown_family *other);

/* kin_join() links two families, kin_leave() unlinks a family from all of its kin. */
void kin_join(struct shown_family *f, struct shown_family *created, enum kin_of of);
void kin_leave(struct shown_family *f);

#endif
