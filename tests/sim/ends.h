/*
 * Groups that end by themselves: each group of the naive store has a ttl, by the flag or by the
 * path of its pushes. The simulation sees which group the gateway ends at what time (ends_watch.c).
 * That is right if the group's time is over by the gateway's clock; a group whose time is over and
 * which has not ended is a fault.
 */
#ifndef TESTS_SIM_ENDS_H
#define TESTS_SIM_ENDS_H

#include "lib/naive_store.h"

#define ENDS_FLAG "--push.ttl=50s"
#define ENDS_GRACE_FLAG "--push.ttl-restart-grace=30s"
enum { ENDS_GRACE = 30, ENDS_OWN = 7, ENDS_USUAL = 50 }; /* seconds; ttls by path and by flag */

/* When the process was started, and for how long at least no process ran before it. */
struct ends_start {
	double wall;
	int64_t ns;
	int64_t down_ns;
};

/* Pushes to the group say its ttl in their path. */
bool ends_has_own(int group);
/* The ttl in the path of a push to the group; "": that of a rule or the flag holds. */
const char *ends_path(int group);
/*
 * The monotonic time of a push whose time, heard_at in Unix seconds, a process before this one
 * read.
 */
int64_t ends_heard_ns(const struct ends_start *start, double heard_at);
/* After a start the groups that are there count from the times of their pushes. */
void ends_start(struct naive_store *s, const struct ends_start *start);
/* groups: bits. False: at that time one of them may not end yet, or is not there. */
bool ends_may(const struct naive_store *s, unsigned groups, int64_t now_ns,
	      const struct ends_start *start);
void ends_apply(struct naive_store *s, unsigned groups);
/* The first group that should have ended by now; -1: none. */
int ends_overdue(const struct naive_store *s, int64_t now_ns, const struct ends_start *start);
/* The bit of the group with that key. */
unsigned ends_group_of(struct str key);

#endif
