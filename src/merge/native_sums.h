/*
 * The exact sums of native histograms, with a layer for each resolution in which histograms were
 * pushed, so that sums stay exact whichever resolutions come and go. One thread.
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

/*
 * The resolution at which the sum is shown. The schema only falls and the threshold only grows:
 * readers would take the opposite for a reset.
 */
struct native_shape {
	bool known;  /* one of the histograms was native */
	bool hidden; /* one was not native, so the buckets of the others do not add up to the count
		      */
	int32_t schema;
	double threshold;
};

void native_sums_done(struct native_sums *s);
/* Adds v `times` times, 1 or -1. */
void native_sums_add(struct native_sums *s, const struct native *v, int times);
void native_sums_add_sums(struct native_sums *to, const struct native_sums *from, int times);
/* Makes one layer of all, with the lowest schema and the widest zero bucket of them. */
void native_sums_squash(struct native_sums *s);
/* The layer of that resolution, which is made if there is none. Borrowed until the next call. */
struct native_layer *native_sums_layer(struct native_sums *s, int32_t schema, double threshold);
/*
 * The count of a bucket, which is made if there is none. The search begins at *hint, 0 at first;
 * for the next bucket in ascending order *hint is where to go on. Borrowed until the next call.
 */
struct exact *native_layer_count(struct native_layer *l, uint32_t *hint, bool negative,
				 int32_t index);

/* The shape after one more histogram, v; NULL: that is not native. */
struct native_shape native_shape_with(struct native_shape s, const struct native *v);
/*
 * The whole sum at that shape, whose threshold grows to the end of a bucket that it would cut. The
 * caller frees it.
 */
struct native *native_sums_total(const struct native_sums *s, struct native_shape *shape);

#endif
