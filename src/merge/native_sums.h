/*
 * The exact sums of native histograms, a layer for each resolution in which some of them came, so
 * that nothing is cut again when another comes or goes. One thread.
 */
#ifndef MERGE_NATIVE_SUMS_H
#define MERGE_NATIVE_SUMS_H

#include "merge/exact.h"
#include "merge/native.h"

struct native_sum {
	int32_t index;
	bool negative;
	struct exact count;
};

struct native_layer {
	int32_t schema;
	double threshold;
	struct exact zero;
	struct native_sum *list; /* of positive numbers first, ascending by index */
	uint32_t n, cap;
};

/* Zeroed memory is a sum of nothing. */
struct native_sums {
	struct native_layer *layers;
	uint32_t n;
};

/* What all of them are shown at: it goes one way, or readers would take it for a reset. */
struct native_shape {
	bool known;  /* one of them was native */
	bool hidden; /* one was not, and no reader could add the others up to the count */
	int32_t schema;
	double threshold;
};

void native_sums_done(struct native_sums *s);
/* Adds v `times` times, 1 or -1. */
void native_sums_add(struct native_sums *s, const struct native *v, int times);
void native_sums_add_sums(struct native_sums *to, const struct native_sums *from, int times);
/* One layer of all, as low and as wide as the lowest and the widest. */
void native_sums_squash(struct native_sums *s);
/* The layer of that resolution, which is made if there is none. */
struct native_layer *native_sums_layer(struct native_sums *s, int32_t schema, double threshold);
/* A count of it: the next one at or behind *hint, which is where to look on. */
struct exact *native_layer_count(struct native_layer *l, uint32_t *hint, bool negative,
				 int32_t index);

/* What the shape is with v, which is NULL for a histogram that is not native. */
struct native_shape native_shape_with(struct native_shape s, const struct native *v);
/*
 * All of it at that shape, whose threshold grows to the end of a bucket that it would cut. To be
 * freed.
 */
struct native *native_sums_total(const struct native_sums *s, struct native_shape *shape);

#endif
