/*
 * Groups that end by themselves: each of the naive store has a ttl of its own, by flag or by the
 * path of its pushes. The gateway says when it ends which (world.c); that is right if the time is
 * over by its own clock, and wrong to leave out if it has been over for long.
 */
#ifndef TESTS_SIM_ENDS_H
#define TESTS_SIM_ENDS_H

#include "lib/naive_store.h"

#define ENDS_FLAG "--push.ttl=50s"
#define ENDS_GRACE_FLAG "--push.ttl-restart-grace=30s"
enum { ENDS_GRACE = 30, ENDS_OWN = 7, ENDS_USUAL = 50 }; /* seconds; ttls by path and by flag */

/* When the process was started, and how long at least there was none. */
struct ends_start {
	double wall;
	int64_t ns;
	int64_t down_ns;
};

/* Pushes to the group say its ttl. */
bool ends_has_own(int group);
/* Of the path of a push to the group; "": the flag's holds, or that of a rule. */
const char *ends_path(int group);
/* A push of which the gateway read the clock when another process ran. */
int64_t ends_heard_ns(const struct ends_start *start, double heard_at);
/* A start: what is there counts from the times of pushes. */
void ends_start(struct naive_store *s, const struct ends_start *start);
/* Of bits of groups, at that time: false: one of them may not end yet, or is not there. */
bool ends_may(const struct naive_store *s, unsigned groups, int64_t now_ns,
	      const struct ends_start *start);
void ends_apply(struct naive_store *s, unsigned groups);
/* The first group that should have ended by now; -1: none. */
int ends_overdue(const struct naive_store *s, int64_t now_ns, const struct ends_start *start);
/* Bits of the group of that key. */
unsigned ends_group_of(struct str key);

#endif
