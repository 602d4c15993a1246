/*
 * The label sets that the metrics of one push are exposed with. Many metrics have the same: those
 * without labels of their own, and those that the parsers let share them. Such a set is made,
 * checked and written once. Sets live in the request's arena; one thread.
 */
#ifndef PUSH_LABEL_SET_H
#define PUSH_LABEL_SET_H

#include <stddef.h>

#include "base/arena.h"
#include "metrics/key.h"
#include "metrics/metric.h"

struct label_set {
	struct label_set *next; /* in a ring, in the order they occurred */
	/* What it was made of. */
	const struct label *own;
	uint32_t n_own;
	bool own_plain;

	bool plain; /* as in struct metric */
	uint32_t n;
	struct extent text, proto; /* where the builder has written it already; n 0: not yet */
	struct label labels[];
};

/*
 * Gives m the labels it is exposed with, as rules_apply_key() does. *recent is the set of the last
 * metric, NULL for the first one. *ret_known: another metric has the same set. -1: the arena is
 * full.
 */
int label_set_apply(struct metric *m, const struct key *key, struct arena *a,
		    struct label_set **recent, bool *ret_known);

/* The set that m has got its labels from. */
static inline struct label_set *label_set_of(const struct metric *m)
{
	return (struct label_set *)((char *)m->labels - offsetof(struct label_set, labels));
}

#endif
