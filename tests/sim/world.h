/*
 * One gateway with its clients and its disk, and what has been seen of it. Steps act on it
 * (steps.c); a check that fails says so with world_fails(), which ends the history.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "lib/strict/strict.h"
#include "sim/backups.h"
#include "sim/crowds.h"
#include "sim/disk_calls.h"
#include "sim/logins.h"
#include "sim/net.h"
#include "sim/oracle.h"
#include "sim/process.h"
#include "sim/pushes.h"
#include "sim/rules.h"
#include "sim/slows.h"

enum { WORLD_CLIENTS = 5 };

/* What a client awaits on its connection. */
enum awaited { AWAITS_NOTHING, AWAITS_ANSWER };

struct sim_client {
	int fd; /* 0: none */
	enum awaited awaits;
	bool head_only;
};

struct world_counts {
	uint64_t steps, requests, answered, refused, crashes, power_cuts, restarts, settled,
		scrapes;
	uint64_t too_many, crowded, reloads, backups, summed, removals, undos, ended, silent,
		folded, unknown, failed_starts, faults, full, rotten, set_aside;
};

struct world {
	uint64_t rng;
	struct disk *disk;
	struct process *process; /* NULL: no process runs */
	struct oracle oracle;
	struct sim_client clients[WORLD_CLIENTS];
	uint64_t order;
	int64_t wall_ns, mono_ns;
	uint64_t failed; /* disk->failed + disk->full when last looked at */
	bool power_cut;  /* when the disk dies, so does the machine */
	bool rotten;     /* bits have been flipped, or syncs have lied */
	/*
	 * The summed counters of the last scrape: no later one shows less, unless (may_fall) a
	 * request that takes them away is on its way.
	 */
	double shown[N_SUMS_SHOWN];
	bool may_fall;
	struct sums_clients sums_clients;
	struct sim_request *staged; /* the push that is being staged */
	bool no_group;              /* --limits.stored-bytes has just refused one */
	char undo[REMOVAL_ID];      /* by which the last delete can be undone; empty: by none */
	int64_t removed_ns;         /* when that was answered */
	uint64_t unknown_batches;   /* of this process, up to the last look */
	uint64_t undo_lost;         /* if the disk has failed more often */
	struct sim_backup backup;
	unsigned scraped_as; /* the form that was asked for last */
	bool ends;           /* groups have a ttl */
	double latest_wall;  /* the latest that the wall clock has shown */
	bool limited;        /* few groups and series fit, */
	bool few_values;     /* of sources fit */
	bool crowded;        /* few bytes of requests fit */
	struct sim_slow slow;
	bool lowered, lowers;        /* even fewer; after the next start */
	struct pushes_limits limits; /* of one push */
	struct sim_logins logins;
	bool ruled;             /* there are rules, */
	struct sim_rules rules; /* these */
	bool stepped_back;      /* the wall clock, at any time */
	uint64_t failed_before; /* faults before the process was started */
	bool over; /* what scrapes show cannot be foretold any more, or a check has failed */
	struct strbuf why;
	struct world_counts *counts;
};

extern struct world *world; /* the one that runs now */

/*
 * Some histories have flags of their own: groups have a ttl, or few groups and series fit. Some
 * have rules, too.
 */
enum world_kind { WORLD_PLAIN, WORLD_ENDS, WORLD_LIMITED };
struct world_has {
	enum world_kind kind;
	bool rules, logins;
	bool zero_first; /* what is new shows zeros */
	bool few_values; /* of sources fit */
	bool crowded;    /* few bytes of requests fit, */
	bool slow;       /* or of replies */
	struct pushes_limits limits;
	uint64_t max_bytes; /* that are stored */
};
void world_start(struct world *w, uint64_t seed, struct world_has has, struct world_counts *counts);
/* Ends everything. False: a check has failed, also the one that nothing is left over. */
bool world_end(struct world *w);

/* flags.c: the flags of the gateway, ended by NULL. */
enum { WORLD_FLAGS = 24 };
void world_flags(const struct world *w, const char *ret[WORLD_FLAGS]);

/* wraps.c: the request of a client that is not answered yet; NULL: it has no effect. */
struct sim_request *world_request_of(const struct http_request *req);

bool world_fails(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sends a request for a client that awaits nothing, on its connection or on a new one. */
void world_send(struct world *w, unsigned client, struct sim_request *r, struct str bytes);
/* The last delete of many groups can be undone now. */
bool world_can_undo(const struct world *w);
/* These may be called while requests are under way. */
void world_scrape(struct world *w);
void world_disconnect(struct world *w, unsigned client);
/* A thread of the gateway goes on, or bytes arrive. */
void world_go_on(struct world *w);
void world_pass_time(struct world *w, int64_t mono_ns, int64_t wall_ns);
/* The same for up to 40 s, by both clocks, once all is answered. */
void world_pass_long(struct world *w);
/* One thread that can go on does, or bytes arrive. False: there is neither. */
bool world_go_on_once(struct world *w);
/*
 * Goes on until all requests are answered. False: the disk has died meanwhile, or a check has
 * failed.
 */
bool world_answer_all(struct world *w);
/*
 * Returns the status of the reply that the client has got, and its content; 0: not all of it has
 * come.
 */
int world_read_reply(const struct net_socket *s, struct str *ret_content);
/* Goes on until all requests are answered, or the disk dies; then checks what a scrape shows. */
void world_settle(struct world *w);
/* Goes on until all threads wait. */
void world_come_to_rest(struct world *w);
/* Once the disk is well a push has to be accepted, whatever has failed before. */
void world_check_well(struct world *w);
/* Ends the process, at once if killed; starts it again, and checks what a scrape shows. */
void world_restart(struct world *w, bool killed);
/* Goes on until the disk dies, or until nothing is left to do; then kills the process. */
void world_crash(struct world *w);

#endif
