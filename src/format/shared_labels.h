/*
 * The label sets of a body that is being decoded, each with the bytes it was made of. Families of
 * one program tend to have the same sets in the same order, so the next bytes are first compared
 * with the set that followed the last one. Sets live in the request's arena.
 */
#ifndef FORMAT_SHARED_LABELS_H
#define FORMAT_SHARED_LABELS_H

#include "base/arena.h"
#include "metrics/metric.h"

struct shared_labels {
	struct shared_labels *next; /* in a ring */
	struct str raw;             /* borrows from the body */
	uint32_t n;
	struct label labels[];
};

/* The set whose bytes s begins with, or NULL. It becomes the last one. NULL in *last: none yet. */
struct shared_labels *shared_labels_find(struct shared_labels **last, struct str s);

/* A new set with a copy of the labels; becomes the last one. NULL: the arena is full. */
struct shared_labels *shared_labels_add(struct shared_labels **last, struct arena *a,
					struct str raw, const struct label *labels, uint32_t n);

#endif
