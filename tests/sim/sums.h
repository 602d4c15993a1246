/*
 * Summed groups as they have to be shown: of each process the most that it has said, and each
 * increment once. Every process counts in digits of its own, so that a total says what each of them
 * has in it.
 */
#ifndef TESTS_SIM_SUMS_H
#define TESTS_SIM_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Some of one pid, with different starts. */
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
	uint64_t ids; /* that were added: bits */
	uint64_t added;
};

bool sums_is_push(const struct sums_request *r); /* not a DELETE */
/* It has been taken. */
void sums_apply(struct sums *s, const struct sums_request *r, double now);
/* Appends the lines of both groups, sorted; without HELP and TYPE. */
void sums_expose(const struct sums *s, struct strbuf *out);

/* Of a line of a scrape as text: it belongs to these groups. */
bool sums_have_line(struct str line);
/* Of which the damage of one source leaves what was never shown. */
bool sums_is_total(struct str line);

/* What both counters have in a scrape as text; -1: it does not have it. */
enum { SUMS_TOTAL, SUMS_ADDED, N_SUMS_SHOWN };
void sums_shown(struct str scrape, double ret[N_SUMS_SHOWN]);

/* ---- what is pushed ---- */

/* What the processes have counted so far, and the increments. */
struct sums_clients {
	unsigned counts[SUM_PROCESSES];
	unsigned ids, first_id; /* how many there were; from which on they may be tried again */
	unsigned values[SUM_IDS];
};

/* The group of increments goes. A new one knows the old ids if both began at the same time, as no
 * two do with a clock that does not stand still: the old ones are not tried again. */
void sums_added_goes(struct sums_clients *c);
void sums_random(uint64_t *rng, struct sums_clients *c, struct sums_request *ret);
void sums_add_bytes(uint64_t *rng, const struct sums_request *r, struct strbuf *out);

#endif
