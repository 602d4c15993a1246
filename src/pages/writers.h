/*
 * Who pushes to which group: address and user of the last push that was accepted, and whether
 * several addresses push to a plain group in turn, so that each replaces what the others pushed. In
 * memory only: after a restart nothing is known until somebody pushes.
 *
 * Only the committer notes pushes. All of it is under the lock of the pages (pages.h).
 */
#ifndef PAGES_WRITERS_H
#define PAGES_WRITERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "base/table.h"

struct group;
struct push;

enum {
	CONFLICT_JOBS_MAX = 100,
	CONFLICT_RIVALS = 3,    /* addresses beside the last one that are remembered of a group */
	CONFLICT_WITHIN_S = 60, /* A, B, A in that time is a conflict */
	CONFLICT_SHOWN_S = 10 * 60 /* for so long a group stays in conflict */
};

/* An address and a user, shared by all groups that they were the last to push to. */
struct writer {
	uint64_t hash;
	uint32_t refs, peer_n, user_n; /* user_n 0: no password was checked */
	char text[];                   /* the address, then the user */
};

/* The other addresses that pushed to a group within CONFLICT_WITHIN_S. */
struct rivalry {
	const struct group *group;
	struct {
		struct writer *writer; /* NULL: no more */
		double at;             /* Unix seconds: of its last push */
	} before[CONFLICT_RIVALS];     /* the newest first */
	double conflict_at;            /* Unix seconds: the last time of a conflict; 0: never */
	bool listed;                   /* the group is in conflict */
	struct rivalry *older, *newer; /* links of the listed ones, by conflict_at */
	uint8_t job;                   /* its place in writers.jobs */
};

struct conflict_job {
	char *job;  /* owned; NULL: a free place; the last place is for all jobs without one */
	uint32_t n; /* groups in conflict */
};

struct writers {
	struct table known;
	struct table rivalries; /* by the slot of the group */
	struct rivalry *oldest, *newest;
	size_t n_conflicts;
	double told_at;  /* Unix seconds: of the newest push, by the clock that pushes have their
			    times of, */
	int64_t told_ns; /* and when that was, monotonic */
	struct conflict_job jobs[CONFLICT_JOBS_MAX + 1];
};

static inline struct str writer_peer(const struct writer *w)
{
	return (struct str){ w->text, w->peer_n };
}

static inline struct str writer_user(const struct writer *w)
{
	return (struct str){ w->text + w->peer_n, w->user_n };
}

void writers_done(struct writers *w); /* after writers_forget() of all groups */

/* Notes an accepted push. True: the group, a plain one, is in conflict. */
bool writers_note(struct writers *w, struct group *g, const struct push *push);
/* Call when the group ends. */
void writers_forget(struct writers *w, struct group *g);
/*
 * Call before conflicts are read: ends those that have lasted for CONFLICT_SHOWN_S, some at a time.
 * now: Unix seconds, by the clock of the times of pushes, which may be another machine's.
 */
void writers_expire(struct writers *w, double now);
double writers_now(const struct writers *w);

/* NULL: no other address has pushed to the group lately. */
struct rivalry *rivalry_of(const struct writers *w, const struct group *g);

static inline bool rivalry_is_conflict(const struct rivalry *r)
{
	return r && r->listed;
}

#endif
