/*
 * A simple model of summed groups, for comparing: it keeps everything that processes have ever
 * pushed, and adds up all of it each time that it is shown.
 */
#ifndef TESTS_LIB_NAIVE_SUMS_H
#define TESTS_LIB_NAIVE_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum {
	N_NAMES = 3,   /* of sources */
	N_STARTS = 3,  /* starts of each; the first stands for none */
	N_SERIES = 3,  /* of the counter c, the histogram h, the gauge histogram q, each gauge */
	N_LAYOUTS = 2, /* of the histogram; the middle bound is common */
	N_BOUNDS = 3,
	N_PUSH_IDS = 3,
	MAX_STEPS = 24,
	SOURCE_TTL = 900, /* seconds */
	FOLD_AFTER = 8 * 86400,
	GROUP_TTL = 12 * 86400,
	A_FEW_SOURCES = 4,
	A_FEW_SERIES = 12,
	A_FEW_VALUES = 80,    /* of all processes */
	ZERO_FIRST_MS = 7500, /* between two steps, each of which takes seconds */
};

extern const double naive_bounds[N_LAYOUTS][N_BOUNDS];
enum { RECENT, MAX_EVER, MIN_EVER, LIVESUM, LIVEMAX, N_GAUGES };
extern const char *const naive_gauges[N_GAUGES];

/* ---- the steps of a history ---- */

enum step_kind {
	PUSH,
	END,
	SILENT,
	FOLD,
	EXPIRE,
	RESTART,
	IN_ORDER,
	REWRITE,
	CLEAN,
	DELETE,
	ADD, /* an increment, to a group of its own */
	N_KINDS
};

/* A family whose type changes. */
enum odd_kind { NO_ODD, ODD_COUNTER, ODD_GAUGE, N_ODD };

/* The flags, each of which can be left out, are in front. */
struct said_by_step {
	bool counter[N_SERIES], histogram[N_SERIES], gauge[N_GAUGES][N_SERIES];
	bool gauge_histogram[N_SERIES];
	bool native[N_SERIES];   /* the histogram has a native part */
	bool created[N_SERIES];  /* the counter has a creation time */
	bool exemplar[N_SERIES]; /* the counter has one */
	bool odd, bad; /* `odd`: it has the family whose type changes; `bad`: it has an invalid
			  count */
	double count[N_SERIES], values[N_GAUGES][N_SERIES];
	unsigned buckets[N_SERIES][N_BOUNDS + 1]; /* not cumulative; the last is above all bounds */
	double sum[N_SERIES];
	int schema;
	double threshold;
	double began[N_SERIES];
	int exemplar_at[N_SERIES];
	enum odd_kind odd_kind;
	double odd_value;
};

struct step {
	enum step_kind kind;
	uint8_t name, start, layout;
	uint8_t push_id; /* id of an increment; 0: none */
	bool replace, final;
	bool lost;          /* the batch is rolled back */
	bool follow, swaps; /* `follow`: another gateway then reads the rows; `swaps`: and writes
			       from then on */
	struct said_by_step said;
};

/* Settings of a whole history. */
struct naive_rule {
	bool few_sources, few_series, few_values, ends, zero_first;
};

/* ---- the state of the model ---- */

/* The native part of a histogram: a bucket for each classic one, and the zero bucket first. */
struct naive_native {
	bool there;
	int schema;
	double threshold;
	double counts[N_BOUNDS + 1];
};
/* Index and sign of these buckets. */
struct naive_place {
	int index;
	bool negative;
};
extern const struct naive_place naive_places[N_BOUNDS + 1];

/* A pushed histogram, or the value of a counter. */
struct amount {
	double value;                    /* of a histogram: its sum */
	double count, buckets[N_BOUNDS]; /* cumulative */
	struct naive_native native;
	double began; /* 0: not known */
	uint8_t layout;
	int times; /* -1: it is subtracted */
};

/* All amounts of one series that count for good. */
struct amounts {
	struct amount list[4 * MAX_STEPS];
	unsigned n;
};

struct process {
	bool known, live, ended, returned;
	uint64_t first;
	double pushed_at, resets[3];
	bool has_counter[N_SERIES], has_histogram[N_SERIES], has_gauge[N_GAUGES][N_SERIES];
	struct amount counter[N_SERIES], histogram[N_SERIES];
	double gauge[N_GAUGES][N_SERIES];
	bool has_gauge_histogram[N_SERIES];
	struct amount gauge_histogram[N_SERIES];
	bool has_odd, odd_gone; /* whether it has the odd family, or has left it out */
	struct amount odd;
};

struct naive_shape {
	bool known, hidden;
	int schema;
	double threshold;
};

struct naive_exemplar {
	int at; /* 0: there is none */
	double value;
};

/* The last pushed one, and its process; by NULL: that process is gone. */
struct naive_gauge_histogram {
	bool there;
	struct amount last;
	struct process *by;
};

/* The group of increments. */
struct increments {
	struct amounts counters[N_SERIES];
	double since[N_SERIES]; /* of the counters */
	struct naive_gauge_histogram gauge_histograms[N_SERIES];
	bool there[N_SERIES], gauge[N_SERIES], taken[N_PUSH_IDS + 1];
	double gauges[N_SERIES];
	double pushed_at; /* 0: there is no group */
};

struct naive_sums {
	struct naive_rule rule;
	struct process p[N_NAMES][N_STARTS];
	bool was_folded[N_NAMES][N_STARTS];
	struct amounts counters[N_SERIES], histograms[N_SERIES];
	bool in_base[2][N_SERIES];            /* of counters, histograms */
	bool known[3 + N_GAUGES][N_SERIES];   /* series that have existed */
	double since[2][N_SERIES], odd_since; /* when counters, histograms were first shown */
	struct process *recent_by[N_SERIES];
	bool recent[N_SERIES], extreme[2][N_SERIES];
	double recents[N_SERIES], extremes[2][N_SERIES];
	struct naive_shape shapes[N_SERIES];
	struct naive_exemplar exemplars[N_SERIES];
	struct naive_gauge_histogram gauge_histograms[N_SERIES];
	enum odd_kind odd_kind; /* the present type of the family; NO_ODD: there is none */
	struct amounts odds;
	bool odd_in_base, odd_recent;
	double odd_value;
	struct process *odd_by;
	unsigned odd_dropped; /* values of the former type, until the push is taken */
	uint64_t pushes, shown_first;
	uint8_t shown;
	double now, pushed_at; /* Unix seconds; 0: never */
	struct increments added;
};

/* False: refused, and nothing has changed. */
bool naive_push(struct naive_sums *m, const struct step *s);
bool naive_add(struct naive_sums *m, const struct step *s);
void naive_end(struct naive_sums *m, int name);
void naive_delete(struct naive_sums *m);
/* Time passes: processes that are silent for too long are no longer live, and later folded. */
void naive_wait(struct naive_sums *m, double seconds);

/* The i-th of all possible processes. */
struct process *naive_process_at(struct naive_sums *m, int i);
/* Adds an amount of a process that is gone. */
void naive_for_good(struct amounts *all, struct amount a, int times);
/* The amount that a step pushes. */
struct amount naive_amount(const struct step *s, int series, bool histogram);
/* Which of the step's amounts the gauge histogram of a series has. */
int naive_gauge_histogram_of(int series);
/* The counter as it is shown. False: it is not. */
bool naive_counter(const struct naive_sums *m, int series, double *ret);
/* Appends all lines; zero buckets of native histograms become as wide as needed, and stay so. */
void naive_show(struct naive_sums *m, struct strbuf *out);

/* ---- naive_limits.c ---- */

/* naive_count_known(): how many series are known; naive_know_series(): notes those of a step. */
unsigned naive_count_known(const struct naive_sums *m);
void naive_know_series(struct naive_sums *m, const struct step *s);
/* Values of all sources. */
unsigned naive_count_values(struct naive_sums *m);
/* Removes a process; its counts stay. */
void naive_fold(struct naive_sums *m, struct process *p);
/* The same, for a process that may come back. */
void naive_fold_remembered(struct naive_sums *m, int name, int start);
/*
 * Fold processes, but not this one, if there are more sources or values than the rule allows.
 * False: there still are.
 */
void naive_make_room(struct naive_sums *m, const struct process *but);
bool naive_make_room_for_values(struct naive_sums *m, const struct process *but, unsigned before);

/* ---- naive_show.c ---- */

void naive_line(struct strbuf *out, double v);

#endif
