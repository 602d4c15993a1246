/* How many pushes may wait to be committed before others are answered 503: so many that none waits
 * for more than some milliseconds, or for more than two commits on a slow disk. This limit holds
 * only while more pushes come than can be committed; in a burst, or behind a large push, pushes
 * wait, and so do those of a few hundred clients that push one after the other.
 *
 * A batch of n pushes takes about `fixed + n * each`: both are estimated from the last batches, by
 * least squares with weights that fall exponentially. The committer's thread only.
 */
#ifndef COMMIT_PACE_H
#define COMMIT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* How long an accepted push waits at the most, beside the batch before its own. */
	PACE_WAIT_NS = 4 * 1000 * 1000,
	/* A wait above this is too long. */
	PACE_LONG_NS = 5 * 1000 * 1000,
	/* The limit begins when waits have been too long for this time, without getting shorter, */
	PACE_SINCE_NS = 50 * 1000 * 1000,
	/* and ends when no push was refused for this time. */
	PACE_AFTER_NS = 1000 * 1000 * 1000,
	/* The limit does not begin while there are no more pushes: so many clients may each have
	 * one on its way. */
	PACE_CLIENTS = 256,
	/* The limit is never lower. */
	PACE_MIN = 16,
};

struct pace {
	double n, ns, n_n, n_ns; /* means */
	double each_ns, fixed_ns;
	int64_t long_since_ns; /* when waits became too long; 0: the last one was not */
	int64_t long_ns;       /* the wait at that time */
	bool limited;
	uint64_t refused;
	int64_t refused_at_ns; /* when it was last seen to have grown */
};

struct pace_batch {
	size_t n;          /* pushes in it */
	size_t n_waiting;  /* behind it, at its end */
	int64_t waited_ns; /* the oldest one, until the batch began */
	int64_t took_ns;
	uint64_t refused; /* queue_refused() */
	int64_t now_ns;   /* monotonic, at its end */
};

/* After each batch: the new limit; SIZE_MAX: none. */
size_t pace_limit(struct pace *p, const struct pace_batch *b);

#endif
