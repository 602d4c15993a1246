/*
 * Exemplars of merged series: the newest of each bucket. Of two of the same time it is the one with
 * the higher value, then with the higher labels, so that it does not matter which was heard of
 * first. One thread, but for exemplars_read().
 */
#ifndef MERGE_EXEMPLARS_H
#define MERGE_EXEMPLARS_H

#include "base/arena.h"
#include "metrics/metric.h"

struct kept_exemplar {
	bool native;   /* native buckets are others than the classic ones */
	double bucket; /* its upper bound, of negative numbers the lower one; of a counter 0 */
	double value;
	double at; /* Unix seconds; that of the push if it has no time of its own */
	struct timestamp ts;
	uint32_t n_labels;
	const struct label *labels;
};

/* Immutable, in one block; shared by whoever has a reference. */
struct exemplars {
	uint32_t refs, n;
	struct kept_exemplar list[]; /* by native, bucket */
};

/* How many a metric has, and the bytes of their labels. */
uint32_t exemplars_count(const struct metric *m, size_t *ret_labels, size_t *ret_text);
/*
 * Those of a metric, in order, those of one bucket beside each other; label and text are where they
 * are copied to, and end behind.
 */
void exemplars_read(const struct metric *m, double now, struct kept_exemplar *to,
		    struct label **label, char **text);

/* The newest of both, as one more reference; either may be NULL or 0, and the result is then. */
struct exemplars *exemplars_newest(struct exemplars *e, const struct kept_exemplar *list,
				   uint32_t n);
static inline struct exemplars *exemplars_ref(struct exemplars *e)
{
	if (e)
		e->refs++;
	return e;
}
void exemplars_unref(struct exemplars *e); /* NULL is fine */

/* As those of a metric, which has its value and all its buckets; in the arena. False: it is full.
 */
bool exemplars_write(const struct exemplars *e, struct arena *a, struct metric *m);

#endif
