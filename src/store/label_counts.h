/*
 * How many values each label has, for the groups of one rule. Pairs of label and value are known by
 * their hash, and counted as often as they are added, so that they can be removed again; nothing is
 * kept of what has gone. The committer.
 *
 * Between label_counts_begin() and the next one, one change is made: what is removed by it comes
 * first, then what is added. `over` is then a label that has gone over the limit by it.
 */
#ifndef STORE_LABEL_COUNTS_H
#define STORE_LABEL_COUNTS_H

#include "base/str.h"
#include "base/table.h"

struct counted_label {
	struct str name;
	uint64_t n;      /* values that it has */
	uint64_t before; /* the change, if it is the one at hand: */
	uint64_t change;
	struct counted_label *next_empty; /* of those that may have no value any more */
	bool listed;
};

struct label_counts {
	struct table labels; /* by the hash of the name */
	struct table values; /* by the hash of both */
	uint64_t max, change;
	struct counted_label *over;  /* by the change at hand; NULL: none is */
	struct counted_label *empty; /* to be forgotten when the next change begins */
};

void label_counts_init(struct label_counts *c, uint64_t max);
void label_counts_done(struct label_counts *c);

void label_counts_begin(struct label_counts *c);
/* An empty value is the same as no label. */
void label_counts_add(struct label_counts *c, struct str name, struct str value);
/* Does nothing if it was not added. */
void label_counts_remove(struct label_counts *c, struct str name, struct str value);

/* The one with the most values; NULL: there is none. */
const struct counted_label *label_counts_most(const struct label_counts *c);

#endif
