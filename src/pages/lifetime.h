/*
 * What is kept of a group that ends by itself, or whose pushes are awaited. Most groups have none
 * of it. Only the committer uses it, but for the lines, which are in pages.
 */
#ifndef PAGES_LIFETIME_H
#define PAGES_LIFETIME_H

#include "pages/entry.h"

enum { LIFE_EXPIRED, LIFE_OVERDUE, LIFE_EXPECTED, N_LIFE_LINES };

/* As it is published, and beside that as it is staged. All zero: the group has no lifetime. */
struct life {
	/* What was said; nanoseconds, 0: never. */
	int64_t ttl_ns, keep_times_ns, expect_every_ns;
	bool own_ttl; /* a push said it, and only a push can say another */
	/* What has come of it. */
	bool expired; /* its values have gone */
	bool overdue;
	double row_at; /* Unix seconds: when its values went, otherwise when a push said this */
	/* On the monotonic clock, which does not jump: the last success, and the end. */
	int64_t pushed_ns, expired_ns;
};

struct lifetime {
	struct life now;
	uint64_t number; /* of its row when it was first written */
	int64_t due_ns;  /* monotonic: when there is something to be done */
	size_t heap_at;  /* among those that wait for it, + 1; 0: does not wait */
	struct lines lines[N_LIFE_LINES];
};

void lifetime_free(struct lifetime *l); /* NULL is fine */

#endif
