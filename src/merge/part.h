/*
 * The values that one contribution has of one family: immutable, in one block. Most memory of
 * summed groups is in parts, so a part holds nothing that can be computed, and its numbers in as
 * few bytes as they need (packed.h). Only the committer uses it.
 */
#ifndef MERGE_PART_H
#define MERGE_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "merge/exemplars.h"
#include "merge/packed.h"

/*
 * The numbers of the series of a part. Most processes push the same series, and share one list.
 * Immutable.
 */
struct series_list {
	uint32_t refs, n;
	uint32_t v[]; /* ascending */
};

/* Enough for 400 years of 20,000 pushes a second to one group. */
#define PART_MAX_NUMBER ((UINT64_C(1) << 48) - 1)

/*
 * Behind the struct follow, in this order and each only if it is needed: for each value a reference
 * to exemplars, or NULL; for each value a pointer to its struct part_dist; when the first series
 * began; the values; when each series began, in 1024ths of a second after the first, + 1, or 0; the
 * series that were left out; the struct part_dists.
 */
struct part {
	uint64_t number : 48; /* of the push that made it */
	uint64_t value_width : 4, created_width : 4;
	uint64_t has_exemplars : 1, has_dists : 1, has_gone : 1;
	struct series_list *list;
	void *room[];
};

/* A histogram or summary but for its sum, which is the value. */
struct part_dist {
	double count;
	uint32_t layout;
	uint8_t width; /* of its counts */
	bool has_native;
	char counts[]; /* as many as the layout has bounds; the native part is behind them */
};

/* NULL: no value has exemplars. */
static inline struct exemplars **part_exemplars(const struct part *p)
{
	return p->has_exemplars ? (struct exemplars **)p->room : NULL;
}

/* Only for a part whose values have a struct part_dist. */
static inline struct part_dist **part_dist_at(const struct part *p, uint32_t i)
{
	return (struct part_dist **)p->room + (p->has_exemplars ? p->list->n : 0) + i;
}

/* NULL: single values. */
static inline struct part_dist **part_dists(const struct part *p)
{
	return p->has_dists ? part_dist_at(p, 0) : NULL;
}

static inline char *part_first_created(const struct part *p)
{
	return (char *)p->room +
	       sizeof(void *) * p->list->n * ((size_t)p->has_exemplars + p->has_dists);
}

static inline char *part_values_at(const struct part *p)
{
	return part_first_created(p) + (p->created_width ? sizeof(double) : 0);
}

static inline double part_value(const struct part *p, uint32_t i)
{
	return packed_get(part_values_at(p), p->value_width, i);
}

/* When the series began, in Unix seconds; 0: not known. */
double part_created_at(const struct part *p, uint32_t at);

static inline double dist_bucket(const struct part_dist *d, uint32_t i)
{
	return packed_get(d->counts, d->width, i);
}

/*
 * MERGE_MOSTRECENT: series that this contribution has left out and no other has pushed since;
 * ascending.
 */
const uint32_t *part_gone(const struct part *p, uint32_t *ret_n);

/* The place of a series in the part, or UINT32_MAX. */
uint32_t part_find(const struct part *p, uint32_t series);
void part_free(struct part *p);                /* NULL is fine */
void series_list_unref(struct series_list *l); /* NULL is fine */

#endif
