/*
 * What scrapes have to show of summed groups: for each process the most that it has pushed, and
 * each increment once. Every process counts in digits of its own, so that a total shows each one's
 * part, and has a gauge that shows whether it is live. Processes that are silent for long, or too
 * many, are folded: their counts stay, and what they count from when they come back is added.
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
	SUM_PLAIN,  /* a push to the group of processes as to a plain one */
	N_SUMS_KINDS,
};

struct sums_request {
	enum sums_kind kind;
	unsigned process, count;
	bool final;
	bool own_ttl;  /* the request says that of the source */
	bool by_rule;  /* its path does not say that the group is summed: a rule has to */
	bool is_plain; /* none does */
	unsigned id, value;
	bool few_values;     /* only SUMS_MOST_VALUES fit, */
	bool looked;         /* and room was looked for in vain within a second before */
	int64_t decided_ns;  /* monotonic */
	int ttl, source_ttl; /* of the group (0: it never ends), and of the source; seconds */
	int max_sources;
};

/* The families of processes. */
enum { SUM_COUNTER, SUM_HISTOGRAM, SUM_KINDS };

/* The counters that are shown, and their groups. */
enum { SUMS_TOTAL, SUMS_ADDED, N_SUMS_SHOWN };

/* Series that may show zeros when they are new (--push.zero-first). */
enum { ZERO_TOTAL, ZERO_HISTOGRAM, ZERO_ADDED, N_ZEROS };
#define SUMS_ZERO_FLAG "--push.zero-first=4s"
enum { SUMS_ZERO_FIRST = 4 };

/* What it depends on whether they do: the flag, and clocks. */
struct sums_clock {
	bool zero_first, stepped_back;
	bool may_wait; /* no count has to be shown: the row that says so may be missing */
	double wall, latest_wall; /* Unix seconds: now, and the latest that the clock ever showed */
	int64_t now_ns;
};

/* With this flag three sources fit. */
#define SUMS_VALUES_FLAG "--limits.source-values=15"
enum { SUMS_SOURCE_VALUES = 5, SUMS_MOST_VALUES = 15 };

/* A group, and when it was last pushed to: Unix seconds (0: there is none), and monotonic. */
struct sums_life {
	double heard_at;
	int64_t heard_ns;
	int ttl;
};

struct sums_source {
	bool known, live, ended;
	int ttl;
	double heard_at;
	int64_t heard_ns;
	uint64_t says; /* in its digit */
};

struct sim_sums {
	struct sums_life lives[N_SUMS_SHOWN];
	struct sums_source sources[SUM_PROCESSES];
	bool is_plain; /* the group was not summed yet, and has only the first of the bases */
	/*
	 * What the plain group and folded processes have counted, without the first values of those
	 * that are back: the counter, and the histogram.
	 */
	uint64_t bases[SUM_KINDS];
	bool in_base[SUM_KINDS];
	/*
	 * Which were folded, and the ids of the increments that were added: bits. A group that is
	 * made at the time of an earlier one, as happens only because the simulated clock stands
	 * still, knows those of that one.
	 */
	unsigned folded;
	uint64_t ids;
	double born_at[N_SUMS_SHOWN];
	uint64_t added;
	bool counted[N_ZEROS];     /* it never shows zeros: what it goes on from did not */
	double since[N_ZEROS];     /* when the series was shown first, Unix seconds; 0: never */
	int64_t since_ns[N_ZEROS]; /* monotonic: the same */
	int64_t over_ns[N_ZEROS]; /* monotonic, when that was seen to be long enough ago; 0: not yet
				   */
};

bool sums_is_push(const struct sums_request *r); /* not a DELETE */
/* The request has been decided. status: of the answer, as far as it is known. Returns one that is
 * right for it. */
int sums_apply(struct sim_sums *s, const struct sums_request *r, double now, int64_t now_ns,
	       int status);
/* A group ends. */
void sums_end(struct sim_sums *s, int which);
/* Processes that have been silent for long: their gauges go; their counts go into the base. */
void sums_silence(struct sim_sums *s, unsigned processes);
void sums_fold(struct sim_sums *s, unsigned processes);
/* Brings back the group of processes as it was before. */
void sums_bring_back(struct sim_sums *s, const struct sim_sums *before);
/* The process of a source's name, as the store has it, and its start; its bit. */
unsigned sums_process_of(struct str name, double start);
/*
 * Bits for the series that show zeros in place of their counts. Of some it depends on when the
 * gateway looked at its clock: those do if they do in the scrape.
 */
unsigned sums_zeros(const struct sim_sums *s, const struct sums_clock *clock, struct str scrape);
/* Notes which series have to show their counts soon. */
void sums_look(struct sim_sums *s, const struct sums_clock *clock);
/* Appends the samples of both groups, sorted; without HELP and TYPE. */
void sums_expose(const struct sim_sums *s, unsigned zeros, struct strbuf *out);

/* The line, of a scrape as text, belongs to these groups. */
bool sums_have_line(struct str line);
/*
 * The line is of a total: without a source that damage has taken, its value is one that was never
 * right.
 */
bool sums_is_total(struct str line);

/* The values of both counters in a scrape as text; -1: the scrape does not have it. */
void sums_shown(struct str scrape, double ret[N_SUMS_SHOWN]);

/* ---- sums_push.c: what is pushed ---- */

/* What the process has counted, in its digit. */
uint64_t sums_in_its_digit(const struct sums_request *r);

/* What the processes have counted so far, and the increments that there have been. */
struct sums_clients {
	unsigned counts[SUM_PROCESSES];
	unsigned ids, first_id; /* how many increments there have been; the first one that may be
				   tried again */
	unsigned values[SUM_IDS];
	bool own_ttls; /* some sources say their ttl, */
	bool by_rules; /* some requests not that their group is summed */
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
