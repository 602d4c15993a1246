/*
 * What one contribution says of one family: immutable, in one block. Of all that a gateway keeps of
 * its processes these are the most, so a part holds nothing that can be reckoned, and its numbers
 * in as few bytes as they need (packed.h). The committer alone uses it.
 */
#ifndef MERGE_PART_H
#define MERGE_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "merge/exemplars.h"
#include "merge/packed.h"

/* Which series parts are of. Most processes say the same ones: they share it. Immutable. */
struct series_list {
	uint32_t refs, n;
	uint32_t v[]; /* ascending */
};

/* At 20,000 pushes a second to one group, 400 years. */
#define PART_MAX_NUMBER ((UINT64_C(1) << 48) - 1)

/*
 * Behind it, in this order, those that are there: a reference to exemplars, or NULL, for each
 * value; a pointer to the rest of each; when the first of them began; the values; when each began,
 * in 1024ths of a second after the first, + 1, or 0; what has gone; the rest.
 */
struct part {
	uint64_t number : 48; /* of the push that made it */
	uint64_t value_width : 4, created_width : 4;
	uint64_t has_exemplars : 1, has_dists : 1, has_gone : 1;
	struct series_list *list;
	void *room[];
};

/* What a value is of a histogram or summary, beside its sum. */
struct part_dist {
	double count;
	uint32_t layout;
	uint8_t width; /* of its counts */
	bool has_native;
	char counts[]; /* as many as the layout has bounds; the native part is behind them */
};

/* NULL: none has any. */
static inline struct exemplars **part_exemplars(const struct part *p)
{
	return p->has_exemplars ? (struct exemplars **)p->room : NULL;
}

/* Of a part with distributions. */
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

/* When the value began, in Unix seconds; 0: that is not known. */
double part_created_at(const struct part *p, uint32_t at);

static inline double dist_bucket(const struct part_dist *d, uint32_t i)
{
	return packed_get(d->counts, d->width, i);
}

/* MERGE_MOSTRECENT: series that this contribution has left out, and nobody said since; ascending.
 */
const uint32_t *part_gone(const struct part *p, uint32_t *ret_n);

/* The place of a series, or UINT32_MAX. */
uint32_t part_find(const struct part *p, uint32_t series);
void part_free(struct part *p);                /* NULL is fine */
void series_list_unref(struct series_list *l); /* NULL is fine */

#endif
