/*
 * One gateway with its clients and its disk, and what has been seen of it. Steps act on it
 * (steps.c); a check that fails writes why, and ends the history.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "lib/strict/strict.h"
#include "sim/backups.h"
#include "sim/disk_calls.h"
#include "sim/net.h"
#include "sim/oracle.h"
#include "sim/process.h"
#include "sim/rules.h"

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
	uint64_t reloads, backups, summed, removals, undos, ended, unknown, failed_starts, faults,
		full, rotten, set_aside;
};

struct world {
	uint64_t rng;
	struct disk *disk;
	struct process *process; /* NULL: it does not run */
	struct oracle oracle;
	struct sim_client clients[WORLD_CLIENTS];
	uint64_t order;
	int64_t wall_ns, mono_ns;
	uint64_t failed; /* disk->failed and disk->full at the last look */
	bool power_cut;  /* when the disk dies, so does the machine */
	bool rotten;     /* bits have been flipped, or syncs have lied */
	/* What a scrape has shown of summed counters: no later one shows less, unless a request
	 * that takes them away is on its way. */
	double shown[N_SUMS_SHOWN];
	bool may_fall;
	char undo[REMOVAL_ID]; /* by which the last delete can be undone; empty: by none */
	int64_t removed_ns;    /* when that was answered */
	uint64_t undo_lost;    /* if the disk has failed more often */
	struct sim_backup backup;
	unsigned scraped_as;    /* the form that was asked for last */
	bool ends;              /* groups have a ttl */
	bool limited;           /* few groups and series fit */
	bool ruled;             /* there are rules, */
	struct sim_rules rules; /* these */
	bool stepped_back;      /* the wall clock, at any time */
	uint64_t failed_before; /* faults before the process was started */
	bool over;              /* nothing more can be foretold */
	struct strbuf why;
	struct world_counts *counts;
};

extern struct world *world; /* that runs */

/* Some histories have flags of their own: groups have a ttl, or few groups and series fit. In some
 * there are rules, too. */
enum world_kind { WORLD_PLAIN, WORLD_ENDS, WORLD_LIMITED };
void world_start(struct world *w, uint64_t seed, enum world_kind kind, bool ruled,
		 struct world_counts *counts);
/* Ends everything. False: something is left, or a check has failed. */
bool world_end(struct world *w);

bool world_fails(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sends a request on the connection of a client that awaits nothing, and makes one if need be. */
void world_send(struct world *w, unsigned client, struct sim_request *r, struct str bytes);
/* The last delete of many groups can be undone now. */
bool world_can_undo(const struct world *w);
/* Whatever is under way. */
void world_scrape(struct world *w);
void world_disconnect(struct world *w, unsigned client);
/* Somebody goes on: a thread of the gateway, or bytes on their way. */
void world_go_on(struct world *w);
void world_pass_time(struct world *w, int64_t mono_ns, int64_t wall_ns);
/* One of those who can go on does. False: nobody can. */
bool world_go_on_once(struct world *w);
/* Goes on until all is answered. False: the disk has died meanwhile, or it takes for ever. */
bool world_answer_all(struct world *w);
/* The status of the reply that a client has got, and its content; 0: it is not all there. */
int world_read_reply(const struct net_socket *s, struct str *ret_content);
/* Until all is answered, or the disk dies; then looks at what is shown. */
void world_settle(struct world *w);
/* With a disk that is well a push is taken, whatever has failed before. */
void world_check_well(struct world *w);
/* The process ends; killed: at once. It is started again, and what is shown is looked at. */
void world_restart(struct world *w, bool killed);
/* Goes on until the disk dies, or until there is nothing to do; then the process is killed. */
void world_crash(struct world *w);

#endif
