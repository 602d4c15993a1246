/*
 * Who pushes to which group: address and user of the last push that was accepted, and whether
 * several addresses push to a plain group in turn, so that each replaces what the others said. In
 * memory only: after a restart it is not known until somebody pushes.
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
	CONFLICT_SHOWN_S = 10 * 60 /* that the group is in conflict after the last time */
};

/* An address and a user, shared by all groups that they were the last to push to. */
struct writer {
	uint64_t hash;
	uint32_t refs, peer_n, user_n; /* user_n 0: nobody's password was checked */
	char text[];                   /* the address, then the user */
};

/* Of a group that another address pushed to a moment ago. */
struct rivalry {
	const struct group *group;
	struct {
		struct writer *writer; /* NULL: no more */
		double at;             /* Unix seconds: of its last push */
	} before[CONFLICT_RIVALS];     /* the newest first */
	double conflict_at;            /* Unix seconds: the last time; 0: never */
	bool listed;                   /* the group is in conflict */
	struct rivalry *older, *newer; /* among those that are listed, by conflict_at */
	uint8_t job;                   /* of the list of jobs */
};

struct conflict_job {
	char *job;  /* owned; NULL: a free place, or the last one, of all jobs without a place */
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

/* The push is accepted. True: the group, which is a plain one, is pushed to in turn. */
bool writers_note(struct writers *w, struct group *g, const struct push *push);
/* The group ends. */
void writers_forget(struct writers *w, struct group *g);
/*
 * Before conflicts are looked at: those that have lasted long enough are over. Some at a time. now:
 * Unix seconds, by the clock that pushes have their times of, which may be another machine's.
 */
void writers_expire(struct writers *w, double now);
double writers_now(const struct writers *w);

/* NULL: nobody else pushed to the group a moment ago. */
struct rivalry *rivalry_of(const struct writers *w, const struct group *g);

static inline bool rivalry_is_conflict(const struct rivalry *r)
{
	return r && r->listed;
}

#endif
