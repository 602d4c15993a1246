/*
 * What the gateway has to show: the naive store (lib/naive_store.h), summed groups (sums.h), and
 * requests of which it is not known, or not yet, whether they have taken place.
 */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H

#include "base/table.h"
#include "lib/naive_store.h"
#include "sim/ends.h"
#include "sim/removals.h"
#include "sim/sums.h"

enum request_kind {
	REQUEST_PUSH,
	REQUEST_SUM,
	REQUEST_WIPE,
	REQUEST_REMOVE,
	REQUEST_UNDO,
	REQUEST_END, /* of nobody: groups end whose time is over */
};

struct sim_request {
	enum request_kind kind;
	struct naive_push push;
	bool in_steps; /* of a push: it was refused before the time of its order */
	bool dry_run;  /* of a push: it says what would be answered, and changes nothing */
	bool spoiled;  /* of a push: nobody can read it */
	/* Of a push: with which status rules refuse it before it is decided, 0: they do not; they
	 * may do so, as they have changed since. */
	int refusal;
	bool maybe_refused;
	unsigned spared; /* of a delete and an undo: groups that it may not have to do with: bits */
	uint64_t rules;  /* changes of them, when it was sent */
	struct sums_request sum;
	struct removal_request removal;
	unsigned ends;   /* groups of the naive store: bits */
	uint64_t failed; /* faults of the disk until then */
	int fd;          /* of its connection */
	uint64_t order;  /* in which it was decided, or handed to the committer; 0: not yet */
	const struct push *made; /* of it, when it was handed over; may be gone */
	bool decided;            /* a wipe */
	double now;              /* Unix seconds of the gateway's clock then */
	int64_t now_ns;          /* monotonic, when it was decided */
	int status;   /* that it was answered with, as far as anybody can know; 0: it was not */
	bool doubted; /* the disk has failed since: a refused push need not have been noted */
	/*
	 * Its 503 said that it may have been stored: it has not taken place, but may have when the
	 * process has ended, unless another change was taken meanwhile.
	 */
	bool unknown;
	bool ended, kept; /* of one that is unknown: the process; at an earlier settling */
};

/* What fits into a gateway with limits: fewer groups than there are. */
enum { ORACLE_GROUPS = 5, ORACLE_SERIES = 40 };
enum { ORACLE_OPEN = 48, ORACLE_STATES = 16 };

struct oracle_state {
	struct naive_store store;
	struct sums sums;
	struct removed removed;
};

struct oracle {
	/*
	 * What may be stored. Some differ in nothing that a scrape shows: a family without samples
	 * has a type, and later pushes may contradict it.
	 */
	struct oracle_state *states[ORACLE_STATES];
	size_t n_states;
	bool too_many;                        /* there were more */
	struct sim_request open[ORACLE_OPEN]; /* not settled yet */
	size_t n_open;
	/* A database that was set aside is read in the order of push times, of which the simulated
	 * clock gives one to many pushes: whose HELP is the newest is not known any more. */
	bool any_help;
	struct ends_start started;
	bool notes;        /* what is right at any time is remembered */
	struct table ever; /* hashes of all lines that were right at some time */
};

/* limited: by ORACLE_GROUPS and ORACLE_SERIES. */
void oracle_init(struct oracle *o, bool limited);
void oracle_done(struct oracle *o);

/*
 * All requests have been answered, or never will be: of these, each has taken place as a whole or
 * not at all. The scrape shows what follows from some choice; that is what is known from then on.
 * Only what is `unknown` stays open.
 * False: from none; *why says how it differs from the most likely one.
 */
bool oracle_settle(struct oracle *o, struct str scrape, struct strbuf *why);
/* Another process runs. */
void oracle_process_started(struct oracle *o, const struct ends_start *start);
/* What is not known yet may have taken place by the next start. */
void oracle_process_ended(struct oracle *o);

/* Of what has been asked for since the last settling: whether a store that shows this was right at
 * some time after all that was decided up to `from`, and before anything after `until`. */
bool oracle_was_between(struct oracle *o, uint64_t from, uint64_t until, struct str exposed);

/* Whether a group is there that should have ended: *why says which. */
bool oracle_is_overdue(const struct oracle *o, int64_t now_ns, struct strbuf *why);

/* Of a damaged database: whether each line was right at some time. */
bool oracle_was_ever(struct oracle *o, struct str scrape, struct strbuf *why);

/* oracle_answers.c: of what cannot be read or is denied nothing is decided, and of anything else
 * nothing is answered before. False: *why. */
bool oracle_answered_rightly(const struct sim_request *r, struct strbuf *why);

/* Appends the families that were pushed, as naive_expose() has them: lines sorted, own metrics left
 * out. Lines of summed groups are behind them, as sums_expose() has them. */
void oracle_canonical(struct str scrape, struct strbuf *out);

#endif
