/*
 * Counts the values of each label, for the groups of one rule. Pairs of label and value are kept as
 * hashes with the number of times that they were added, so that they can be removed again; a pair
 * that is gone takes no memory. The committer only.
 *
 * Each change begins with label_counts_begin(): its removals first, then its additions. `over` is
 * then a label that the change has brought over the limit.
 */
#ifndef STORE_LABEL_COUNTS_H
#define STORE_LABEL_COUNTS_H

#include "base/str.h"
#include "base/table.h"

struct counted_label {
	struct str name;
	uint64_t n;      /* values of the label */
	uint64_t before; /* values before the change with number `change` */
	uint64_t change;
	struct counted_label *next_empty; /* links labels that may have no value any more */
	bool listed;
};

struct label_counts {
	struct table labels; /* by the hash of the name */
	struct table values; /* pairs, by the hash of label and value */
	uint64_t max, change;
	struct counted_label *over;  /* by the current change; NULL: none */
	struct counted_label *empty; /* forgotten when the next change begins */
};

void label_counts_init(struct label_counts *c, uint64_t max);
void label_counts_done(struct label_counts *c);

void label_counts_begin(struct label_counts *c);
/* An empty value is the same as no label. */
void label_counts_add(struct label_counts *c, struct str name, struct str value);
/* Does nothing if it was not added. */
void label_counts_remove(struct label_counts *c, struct str name, struct str value);

/* The label with the most values; NULL: there is none. */
const struct counted_label *label_counts_most(const struct label_counts *c);

#endif
