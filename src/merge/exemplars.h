/*
 * Exemplars of merged series: the newest of each bucket. Of two with the same time the one with the
 * higher value is kept, then the one with the higher labels, so that their order of arrival does
 * not matter. One thread; exemplars_read() any thread.
 */
#ifndef MERGE_EXEMPLARS_H
#define MERGE_EXEMPLARS_H

#include "base/arena.h"
#include "metrics/metric.h"

struct kept_exemplar {
	bool native;   /* it is in a native bucket, not in a classic one */
	double bucket; /* upper bound of its bucket, for negative numbers the lower one; 0 for a
			  counter */
	double value;
	double at; /* Unix seconds; the time of the push if the exemplar has none */
	struct timestamp ts;
	uint32_t n_labels;
	const struct label *labels;
};

/* Immutable, in one block; shared by whoever has a reference. */
struct exemplars {
	uint32_t refs, n;
	struct kept_exemplar list[]; /* by native, bucket */
};

/*
 * How many exemplars a metric has; adds the number of their labels to *ret_labels, and the bytes of
 * these to *ret_text.
 */
uint32_t exemplars_count(const struct metric *m, size_t *ret_labels, size_t *ret_text);
/*
 * Copies the exemplars of a metric to `to`, in order of buckets; their labels and text go to *label
 * and *text, which are moved on.
 */
void exemplars_read(const struct metric *m, double now, struct kept_exemplar *to,
		    struct label **label, char **text);

/*
 * The newest of e and the list for each bucket, as a new reference. e may be NULL, n may be 0; NULL
 * if there are none.
 */
struct exemplars *exemplars_newest(struct exemplars *e, const struct kept_exemplar *list,
				   uint32_t n);
static inline struct exemplars *exemplars_ref(struct exemplars *e)
{
	if (e)
		e->refs++;
	return e;
}
void exemplars_unref(struct exemplars *e); /* NULL is fine */

/*
 * Makes them the exemplars of m, which has its value and all its buckets, in the arena. False: the
 * arena is full.
 */
bool exemplars_write(const struct exemplars *e, struct arena *a, struct metric *m);

#endif
