/*
 * The content of one push to a summed or added group, as numbers: checked, in one block, on its way
 * from the HTTP worker that made it to the committer. Immutable once made.
 */
#ifndef MERGE_SAID_H
#define MERGE_SAID_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "merge/exemplars.h"
#include "merge/native.h"
#include "merge/source.h"
#include "metrics/merge_policy.h"
#include "metrics/metric.h"

/* A histogram or a summary but for its sum, which is the metric's value. */
struct said_dist {
	double count;                  /* exact up to 2^53 */
	uint32_t n;                    /* buckets; +Inf is none of them: it is the count */
	const double *bounds, *counts; /* cumulative, bounds ascending */
	const struct native *native;   /* or NULL */
};

struct said_metric {
	uint64_t hash;              /* of the labels */
	const struct label *labels; /* as exposed, sorted by name */
	uint32_t n_labels;
	double value;
	double created;               /* Unix seconds, whole 1024ths; 0: not known */
	const struct said_dist *dist; /* NULL: a single value */
	uint32_t n_exemplars;
	const struct kept_exemplar *exemplars; /* as exemplars_read() gives them */
};

struct said_family {
	struct str name, help, unit;
	bool has_help;
	uint8_t type;   /* enum metric_type */
	uint8_t policy; /* enum merge_policy, none of them MERGE_DROP */
	uint32_t n;
	struct said_metric *metrics; /* by hash, then labels */
};

struct said_head {
	struct source source;
	struct str whole_key; /* canonical bytes of the key with the labels of the source */
	struct str push_id;   /* empty: none */
	double now;           /* Unix seconds; the time of exemplars without one */
};

struct said {
	struct said_head head;
	uint32_t n;
	size_t bytes;
	struct said_family *families; /* by name */
};

/* Chooses the policy of a family. -1: *err says why it has none. */
typedef int (*said_policy_fn)(void *arg, const struct family *f, enum merge_policy *ret,
			      struct err *err);

/*
 * Makes it of families that push_build() has checked, with the labels that are exposed. Gauges
 * x_created, as client_python pushes them, become the creation times of x. -1: ERR_INVALID for a
 * count that is negative, NaN or infinite, ERR_TOO_LARGE when the arena is full.
 */
int said_make(struct family *families, const struct said_head *head, said_policy_fn policy,
	      void *arg, struct arena *a, struct said **ret, struct err *err);
void said_free(struct said *s); /* NULL is fine */
/* Families are in the order of their names. NULL: there is none of that name. */
struct said_family *said_find(const struct said *s, struct str name);

/*
 * Rounds a creation time to 1024ths of a second, in which it is compared and kept; a series cannot
 * begin twice in so short a time, since a push lies between. 0: it is no time.
 */
double said_creation(double seconds);
/* b is scratch memory. */
uint64_t said_hash_labels(const struct label *labels, uint32_t n, struct strbuf *b);
/* Whether two sorted lists of labels are the same. */
bool said_same_labels(const struct label *a, uint32_t n_a, const struct label *b, uint32_t n_b);

#endif
