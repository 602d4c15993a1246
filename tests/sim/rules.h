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

#define RULES_FILE "/simulated/rules.yml"

/* Bits of what the rules say; or that the file is wrong. */
enum {
	RULES_K_TTL = 1,    /* of job k: 20 s, */
	RULES_K_DENIED = 2, /* and no padding */
	RULES_J_TTL = 4,    /* of job j: 90 s, */
	RULES_J_SERIES = 8, /* and few series in each group */
	RULES_ACCESS = 16,  /* nobody may push to job k, nor delete what is there */
	RULES_WRONG = 32,
};

struct sim_rules {
	bool ends;          /* ttl is among what they say */
	unsigned file;      /* what the file says, */
	unsigned pushes;    /* pushes are read by, */
	unsigned committer; /* and is what the committer knows of; */
	unsigned handed;    /* what it was told of last, and how many batches there were since */
	unsigned batches;
	uint64_t changes; /* of `pushes` */
	int last;         /* the last reload: 0, or -1 */
};

void rules_random(uint64_t *rng, struct sim_rules *r);
void rules_write(const struct sim_rules *r, struct disk *d);

/* Of a group of the naive store, in seconds; otherwise: if they do not say it. */
int rules_ttl(unsigned rules, bool ends, int group, int otherwise);
/* With which status a push is refused before anything is decided; 0: it is not. */
int rules_refusal(unsigned rules, const struct naive_push *p);
/* They may let back only some of what was deleted. */
bool rules_hinder_undo(const struct sim_rules *r);
/* Of bits of groups: those that nobody may delete. */
unsigned rules_spared(unsigned rules);
/* 0: as many as there are. */
uint64_t rules_series(unsigned rules, int group);
/* rules_watch.c: those that were in force when it was read. */
unsigned rules_read_by(const struct push *push);
/* Of rules_series(): when the committer decides of a push. */
uint64_t rules_committed_by(int group);

#endif
