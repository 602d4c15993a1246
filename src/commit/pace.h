/*
 * How many pushes may wait to be committed before the rest is better refused: so many that none
 * waits for more than some milliseconds, or for more than two commits on a slow disk. Only while
 * more come than can be committed; a burst, or a large push that holds up small ones, is waited
 * for.
 *
 * A batch of n pushes takes about `fixed + n * each`: both are estimated from the batches as they
 * come (least squares that forget, exponentially). The committer's thread.
 */
#ifndef COMMIT_PACE_H
#define COMMIT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* What those who are let in wait for, beside the batch before theirs. */
	PACE_WAIT_NS = 4 * 1000 * 1000,
	/* Waits above that count as too long ... */
	PACE_LONG_NS = 5 * 1000 * 1000,
	/* ... once they have been for so long, and have not become shorter meanwhile, */
	PACE_SINCE_NS = 50 * 1000 * 1000,
	/* and until nobody was refused for so long. */
	PACE_AFTER_NS = 1000 * 1000 * 1000,
	/* So many may wait in any case: pushers that each wait for their answer before the next
	   one. */
	PACE_MIN = 256,
};

struct pace {
	double n, ns, n_n, n_ns; /* means */
	double each_ns, fixed_ns;
	int64_t long_since_ns; /* 0: the last wait was not too long */
	int64_t long_ns;       /* that one then */
	bool limited;
	uint64_t refused;
	int64_t refused_at_ns; /* when it was last seen to have grown */
};

struct pace_batch {
	size_t n;          /* pushes in it */
	int64_t waited_ns; /* the oldest one, until the batch began */
	int64_t took_ns;
	uint64_t refused; /* queue_refused() */
	int64_t now_ns;   /* monotonic, at its end */
};

/* After each batch: the new limit; SIZE_MAX: none. */
size_t pace_limit(struct pace *p, const struct pace_batch *b);

#endif
