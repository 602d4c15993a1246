/*
 * A push while it is built, shared by push.c and series.c. Parts of it lie in the builder's
 * buffers, which can still move, or in the request's arena.
 */
#ifndef PUSH_DRAFT_H
#define PUSH_DRAFT_H

#include "push/label_set.h"
#include "push/push.h"

struct draft_family {
	const struct family *family;
	struct extent name, exposed, help, text;
	struct extent proto; /* without its length */
	uint64_t hash;
	uint64_t *hashes;
	uint32_t n_series, n_lines;
	uint64_t stored; /* of the lines (push/stored.h) */
	bool lossy, escaped;
};

struct draft {
	struct draft_family *families;
	uint32_t n_families;
	uint64_t n_lines, n_series;
	struct extent key, labels;
	struct label_set *recent_set;
};

/*
 * Writes the lines of a family whose metrics have their labels, finds the identity of each, and
 * checks that none is there twice. Sorts `metrics`, those of df->family. -1: ERR_INVALID or
 * ERR_TOO_LARGE.
 */
int push_draft_series(struct push_builder *b, struct draft *d, struct draft_family *df,
		      struct metric **metrics, struct err *err);

int push_arena_full(struct err *err) __attribute__((cold));

#endif
