/*
 * What the gateway has to show: the naive store (lib/naive_store.h), summed groups (sums.h), and
 * requests of which it is not known yet whether they have taken place.
 */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H

#include "base/table.h"
#include "lib/naive_store.h"
#include "sim/ends.h"
#include "sim/logins.h"
#include "sim/removals.h"
#include "sim/sums.h"

enum request_kind {
	REQUEST_PUSH,
	REQUEST_SUM,
	REQUEST_WIPE,
	REQUEST_REMOVE,
	REQUEST_UNDO,
	REQUEST_END, /* by the gateway itself: of what its time is over */
};

struct sim_request {
	enum request_kind kind;
	struct naive_push push;
	bool in_steps;  /* of a push: it was refused before the time of its order */
	bool dry_run;   /* of a push: it says what would be answered, and changes nothing */
	bool spoiled;   /* of a push: nobody can read it */
	bool too_large; /* of a push: it is over a limit */
	bool no_room,
		no_group; /* of a push: it, or its group, was refused for --limits.stored-bytes */
	/* Of a push: with which status rules refuse it before it is decided, 0: they do not; they
	 * may do so, as they have changed since. */
	int refusal;
	bool maybe_refused;
	bool lowered;    /* of a push: it was decided by the lower limits */
	unsigned spared; /* of a delete and an undo: groups that it may not have to do with: bits */
	uint64_t rules;  /* changes of them, when it was sent */
	enum sim_login login;
	bool let_in; /* by its login */
	struct sums_request sum;
	struct removal_request removal;
	struct ends ends;
	uint64_t failed; /* how many faults the disk had had when it ended */
	int fd;          /* descriptor of its connection */
	uint64_t order;  /* the place in the order in which requests were decided, or handed to the
			    committer; 0: not yet */
	const struct push *made; /* the gateway's push, once it was handed over; may be gone */
	bool decided;            /* the wipe has been decided */
	double now;              /* Unix seconds of the gateway's clock when it was decided */
	int64_t not_before_ns;   /* of an undo: monotonic; nothing is over before */
	int64_t now_ns;          /* monotonic, when it was decided */
	int status;   /* the answer's status, as far as it is known; 0: there was no answer */
	bool doubted; /* the disk has failed since: a refused push need not have been noted */
	/*
	 * Its 503 said that it may have been stored: it has no effect now, but may have one once
	 * the process has ended, unless another change was stored meanwhile.
	 */
	bool unknown;
	bool ended, kept; /* of an unknown request: its process has ended; an earlier settling has
			     kept it open */
};

/* What fits into a gateway with limits: fewer groups than clients push to. */
enum { ORACLE_GROUPS = 5, ORACLE_SERIES = 40, ORACLE_BYTES = 9000 };
/* After some starts fewer still: what is there stays. */
enum { ORACLE_FEWER_GROUPS = 3, ORACLE_FEWER_SERIES = 18 };
enum { ORACLE_OPEN = 48, ORACLE_STATES = 16 };

struct oracle_state {
	struct naive_store store;
	struct sim_sums sums;
	struct removed removed;
};

struct oracle {
	/*
	 * The states that may be stored. Some differ in nothing that a scrape shows: a family
	 * without samples has a type, which a later push may contradict.
	 */
	struct oracle_state *states[ORACLE_STATES];
	size_t n_states;
	bool any_unknown; /* of the batches since the last settling some may be stored */
	bool too_many;    /* there were more states than fit */
	struct sim_request open[ORACLE_OPEN]; /* not settled yet */
	size_t n_open;
	/*
	 * A database that was set aside is read in the order of push times, and the simulated clock
	 * gives many pushes the same time: it is not known any more whose HELP is the newest.
	 */
	bool any_help;
	bool limited;       /* by the limits above */
	uint64_t max_bytes; /* --limits.stored-bytes; 0: more than there ever is */
	struct ends_start started;
	struct sums_clock clock; /* of the world, before anything is settled */
	bool notes;              /* lines that are right at some time are noted in `ever` */
	struct table ever;       /* hashes of all lines that were right at some time */
};

/* limited: the gateway's limits are ORACLE_GROUPS and ORACLE_SERIES. */
void oracle_init(struct oracle *o, bool limited, uint64_t max_bytes);
void oracle_done(struct oracle *o);

/*
 * Called when every request has been answered or never will be. Each of the latter has taken place
 * as a whole or not at all: the scrape has to show what follows from some choice of them, and the
 * states that it leads to are what may be stored from then on. Only `unknown` requests stay open.
 * False: no choice leads to the scrape; *why says how that differs from the most likely one.
 */
bool oracle_settle(struct oracle *o, struct str scrape, struct strbuf *why);
/* A new process runs. */
void oracle_process_started(struct oracle *o, const struct ends_start *start);
/* Requests that are unknown may take effect by the next start. */
void oracle_process_ended(struct oracle *o);

/* Of what has been asked for since the last settling: whether a store that shows this was right at
 * some time after all that was decided up to `from`, and before anything after `until`. */
bool oracle_was_between(struct oracle *o, uint64_t from, uint64_t until, struct str exposed);

/* Whether for sure one of these groups (bits) is there that the delete would take. */
bool oracle_has(const struct oracle *o, const struct removal_request *r, unsigned groups);

/* Whether something is there that should have ended: *why says what. */
bool oracle_is_overdue(const struct oracle *o, int64_t now_ns, struct strbuf *why);

/* For a damaged database: whether each line of the scrape was right at some time. */
bool oracle_was_ever(struct oracle *o, struct str scrape, struct strbuf *why);

/* oracle_apply.c: the request takes place. False: in this state it would have been answered
 * otherwise. */
bool oracle_apply(const struct oracle *o, struct oracle_state *s, const struct sim_request *r);

/* oracle_answers.c: of what cannot be read or is denied nothing is decided, and of anything else
 * nothing is answered before. False: *why. */
bool oracle_answered_rightly(const struct sim_request *r, struct strbuf *why);

/* Appends the families that were pushed, as naive_expose() has them: lines sorted, own metrics left
 * out. Lines of summed groups are behind them, as sums_expose() has them. */
void oracle_canonical(struct str scrape, struct strbuf *out);

#endif
