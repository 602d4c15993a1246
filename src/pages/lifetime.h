/*
 * The lifetime of a group that ends by itself, or whose next push is expected. Most groups have
 * none. Only the committer uses it, except for the lines, which are in pages.
 */
#ifndef PAGES_LIFETIME_H
#define PAGES_LIFETIME_H

#include "pages/entry.h"

enum { LIFE_EXPIRED, LIFE_OVERDUE, LIFE_EXPECTED, N_LIFE_LINES };

/* A group has one as published, and one as staged. All zero: the group has no lifetime. */
struct life {
	/* Set by pushes, rules or flags, in nanoseconds; 0: never. */
	int64_t ttl_ns, keep_times_ns, expect_every_ns;
	bool own_ttl; /* a push said the ttl, so that only another push changes it */
	/* What has happened since then. */
	bool expired; /* the ttl is over, and the values are gone */
	bool overdue;
	double row_at; /* Unix seconds: when it expired; before that, when a push last changed this
			*/
	/* On the monotonic clock, which does not jump: the last accepted push, and the expiry. */
	int64_t pushed_ns, expired_ns;
};

struct lifetime {
	struct life now;
	uint64_t number; /* of its row when it was first written */
	int64_t due_ns;  /* monotonic: its deadline */
	size_t heap_at;  /* place in the store's heap of deadlines, + 1; 0: it has no deadline */
	struct lines lines[N_LIFE_LINES];
};

void lifetime_free(struct lifetime *l); /* NULL is fine */

#endif
