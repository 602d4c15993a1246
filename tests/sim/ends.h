/*
 * What ends by itself: groups, each of the naive store with a ttl by the flag, by a rule, or by the
 * path of its pushes, and summed ones by rules alone; and sources of summed groups, which are
 * silent first, and folded later. The simulation sees what the gateway ends at what time
 * (ends_watch.c). That is right if its time is over by the gateway's clock; what has not ended
 * although its time is over is a fault.
 */
#ifndef TESTS_SIM_ENDS_H
#define TESTS_SIM_ENDS_H

#include "lib/naive_store.h"
#include "sim/sums.h"

#define ENDS_FLAG "--push.ttl=50s"
#define ENDS_GRACE_FLAG "--push.ttl-restart-grace=30s"
#define ENDS_FOLD_FLAG "--merge.fold-after=60s"
enum { ENDS_GRACE = 30, ENDS_OWN = 7, ENDS_USUAL = 50 }; /* seconds; ttls by path and by flag */
enum { ENDS_FOLD = 60, ENDS_FOLD_USUAL = 8 * 86400, ENDS_SILENT_USUAL = 900 };

/* The groups: those of the naive store, and the summed ones. */
enum { ENDS_SUMS = NAIVE_GROUPS, ENDS_ADDED, ENDS_GROUPS };

/*
 * What ends together: groups and processes, each as bits. The values of a group can end before the
 * group does, and its next push can be overdue.
 */
struct ends {
	unsigned groups, expired, overdue, silent, folded;
	double at; /* Unix seconds, for the database, when those have expired */
};

/* When the process was started, and for how long at least no process ran before it. */
struct ends_start {
	double wall;
	int64_t ns;
	int64_t down_ns;
	int64_t fold_ns; /* --merge.fold-after */
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
/* After a start what is there counts from the times of its pushes. */
void ends_start(struct naive_store *s, struct sim_sums *sums, const struct ends_start *start);
/* False: at that time something of it may not end yet, or is not there. */
bool ends_may(const struct naive_store *s, const struct sim_sums *sums, const struct ends *what,
	      int64_t now_ns, const struct ends_start *start);
/* now_ns: when that was. */
void ends_apply(struct naive_store *s, struct sim_sums *sums, const struct ends *what,
		int64_t now_ns);
/* Whether the group would end at once, if it were there. */
bool ends_is_over(const struct naive_group *g, int64_t now_ns, int64_t not_before_ns);
/*
 * The first group, or ENDS_GROUPS and a process, that should have ended by now; -1: none.
 */
int ends_overdue(const struct naive_store *s, const struct sim_sums *sums, int64_t now_ns,
		 const struct ends_start *start);
/* The bit of the group with that key. */
unsigned ends_group_of(struct str key);

#endif
