/*
 * A history: what happens to the gateway, step by step. Each step has a seed of its own, so that
 * one can be left out and the others stay the same.
 */
#ifndef TESTS_SIM_STEPS_H
#define TESTS_SIM_STEPS_H

#include "sim/world.h"

enum sim_step_kind {
	STEP_REQUEST,
	STEP_REMOVE, /* deletes many groups, or undoes that */
	STEP_RETRY,  /* sends the last push once more */
	STEP_SCRAPE,
	STEP_GO_ON,
	STEP_TIME,
	STEP_CLOCK, /* the wall clock is set */
	STEP_DISCONNECT,
	STEP_SETTLE,
	STEP_KILL,  /* the disk dies soon, as if the process were killed */
	STEP_POWER, /* the disk dies soon, in a power cut */
	STEP_CRASH, /* the disk dies soon while requests are under way */
	STEP_RESTART,
	STEP_FAULTS,
	STEP_FULL,
	STEP_HEAL,
	STEP_LIES,
	STEP_ROT,
	STEP_RULES, /* others, and a reload, or a start later on */
	STEP_BACKUP,
	N_STEP_KINDS,
};

struct sim_step {
	enum sim_step_kind kind;
	uint64_t seed;
};

enum { HISTORY_STEPS = 160 };

struct history {
	uint64_t seed;
	struct sim_step steps[HISTORY_STEPS];
	unsigned n;
};

/* crashes_only: as many crashes as possible, and no other faults. */
void history_make(struct history *h, uint64_t seed, bool crashes_only);
/* False: *why says what was wrong. */
bool history_run(const struct history *h, struct world_counts *counts, struct strbuf *why);
/* Leaves out as many steps as it can while it still fails. */
void history_shrink(struct history *h);
void history_print(const struct history *h);

#endif
