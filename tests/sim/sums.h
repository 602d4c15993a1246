/*
 * What scrapes have to show of summed groups: for each process the most that it has pushed, and
 * each increment once. Every process counts in digits of its own, so that a total shows each one's
 * part.
 */
#ifndef TESTS_SIM_SUMS_H
#define TESTS_SIM_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* There are more processes than pids: some have the same pid and different starts. */
enum { SUM_PROCESSES = 6, SUM_PIDS = 3, SUM_IDS = 64, SUM_MOST = 255 };

enum sums_kind {
	SUM_SAYS,   /* a push of all that a process has counted */
	SUM_ENDS,   /* a DELETE of a source */
	SUM_GOES,   /* a DELETE of the group */
	SUM_ADDS,   /* an increment with an id */
	ADDED_GOES, /* a DELETE of the group of increments */
	N_SUMS_KINDS,
};

struct sums_request {
	enum sums_kind kind;
	unsigned process, count;
	bool final;
	unsigned id, value;
};

struct sums {
	double said_at, added_at; /* last push times, Unix seconds; 0: there is no group */
	uint64_t said[SUM_PROCESSES];
	uint64_t ids; /* of the increments that were added: bits */
	uint64_t added;
};

bool sums_is_push(const struct sums_request *r); /* not a DELETE */
/* The request has been accepted. */
void sums_apply(struct sums *s, const struct sums_request *r, double now);
/* Appends the samples of both groups, sorted; without HELP and TYPE. */
void sums_expose(const struct sums *s, struct strbuf *out);

/* The line, of a scrape as text, belongs to these groups. */
bool sums_have_line(struct str line);
/*
 * The line is of a total: without a source that damage has taken, its value is one that was never
 * right.
 */
bool sums_is_total(struct str line);

/* The values of both counters in a scrape as text; -1: the scrape does not have it. */
enum { SUMS_TOTAL, SUMS_ADDED, N_SUMS_SHOWN };
void sums_shown(struct str scrape, double ret[N_SUMS_SHOWN]);

/* ---- what is pushed ---- */

/* What the processes have counted so far, and the increments that there have been. */
struct sums_clients {
	unsigned counts[SUM_PROCESSES];
	unsigned ids, first_id; /* how many increments there have been; the first one that may be
				   tried again */
	unsigned values[SUM_IDS];
};

/*
 * The group of increments is deleted, and increments before that are not tried again: a new group
 * that begins at the same time, as happens only because the simulated clock stands still, knows
 * their ids.
 */
void sums_added_goes(struct sums_clients *c);
void sums_random(uint64_t *rng, struct sums_clients *c, struct sums_request *ret);
void sums_add_bytes(uint64_t *rng, const struct sums_request *r, struct strbuf *out);

#endif
