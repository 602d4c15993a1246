/*
 * The rules of --config.file, which somebody writes anew while the gateway runs: how long groups
 * live, what of a push is denied, what a group may hold, and who may push. The file is on the
 * simulated disk, and is always whole: nobody cuts the power while it is written.
 */
#ifndef TESTS_SIM_RULES_H
#define TESTS_SIM_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/naive_store.h"
#include "sim/disk.h"
#include "sim/logins.h"
#include "sim/sums.h"

#define RULES_FILE "/simulated/rules.yml"

/* Bits for what the rules say, and for a file that is wrong. */
enum {
	RULES_K_TTL = 1,       /* of job k: 20 s, */
	RULES_K_DENIED = 2,    /* and no padding */
	RULES_J_TTL = 4,       /* of job j: 90 s, */
	RULES_J_SERIES = 8,    /* and few series in each group */
	RULES_ACCESS = 16,     /* nobody may push to job k, nor delete what is there */
	RULES_SUMS_TTL = 32,   /* of the summed group of processes: 30 s, */
	RULES_SILENT = 64,     /* of its sources: 15 s, */
	RULES_SOURCES = 128,   /* and few of them */
	RULES_ADDED_TTL = 256, /* of the group of increments: 25 s */
	RULES_SUM = 512,       /* both groups are summed, whatever the path says */
	RULES_K_KEEP = 1024,   /* push times of job k stay for 60 s, */
	RULES_J_KEEP = 2048,   /* and of job j for 15 s, */
	RULES_J_EXPECT = 4096, /* whose next push is expected in 40 s */
	RULES_WRONG = 8192,
};

struct sim_rules {
	bool ends;          /* the rules say ttls, too */
	bool logins;        /* there are users */
	unsigned file;      /* bits: what the file says */
	unsigned pushes;    /* the rules by which workers read pushes */
	unsigned committer; /* the rules that the store has */
	unsigned handed; /* the rules that the committer got last, and how many batches there were
			    since */
	unsigned batches;
	uint64_t changes; /* how often `pushes` has changed */
	int last;         /* result of the last reload: 0, or -1 */
};

void rules_random(uint64_t *rng, struct sim_rules *r);
void rules_write(const struct sim_rules *r, struct disk *d);

/* The ttl of a group of the naive store, in seconds; `otherwise` if the rules say none. */
int rules_ttl(unsigned rules, bool ends, int group, int otherwise);
/* What else of its lifetime a push to the naive store gets from the rules. */
void rules_of_times(unsigned rules, struct naive_push *p);
/* What pushes to summed groups get from the rules. */
void rules_of_sum(unsigned rules, bool ends, struct sums_request *r);
/* With which status a push is refused before anything is decided; 0: it is not. */
int rules_refusal(unsigned rules, enum sim_login login, const struct naive_push *p);
int rules_refusal_of_sum(unsigned rules, const struct sums_request *r);
/* They may let back only some of what was deleted. */
bool rules_hinder_undo(const struct sim_rules *r);
/* Of bits of groups: those that nobody may delete. */
unsigned rules_spared(unsigned rules, enum sim_login login);
/* 0: as many as there are. */
uint64_t rules_series(unsigned rules, int group);
/* rules_watch.c: the rules that were in force when the push was read. */
unsigned rules_read_by(const struct push *push);
/* rules_series() by the rules of the store, for a push that the committer decides now. */
uint64_t rules_committed_by(int group);

#endif
