/*
 * A history: what the scheduler does, step by step. Each step has a seed of its own, so that one
 * can be left out, and the others stay the same.
 */
#ifndef TESTS_SIM_STEPS_H
#define TESTS_SIM_STEPS_H

#include "sim/world.h"

enum sim_step_kind {
	STEP_REQUEST,
	STEP_REMOVE, /* many groups; or they come back */
	STEP_RETRY,  /* the last push of somebody, once more */
	STEP_SCRAPE,
	STEP_GO_ON,
	STEP_TIME,
	STEP_CLOCK, /* somebody sets it */
	STEP_DISCONNECT,
	STEP_SETTLE,
	STEP_KILL,  /* the disk dies soon, */
	STEP_POWER, /* with the machine */
	STEP_CRASH, /* so it does, while some requests are under way */
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

/* crashes_only: as many as possible, and nothing else goes wrong. */
void history_make(struct history *h, uint64_t seed, bool crashes_only);
/* False: *why says what was wrong. */
bool history_run(const struct history *h, struct world_counts *counts, struct strbuf *why);
/* Leaves out as many steps as it can while it still fails. */
void history_shrink(struct history *h);
void history_print(const struct history *h);

#endif
