/*
 * The groups with a deadline, at which they expire or their next push is overdue, ordered by
 * deadline. Committer only.
 */
#ifndef STORE_DEADLINES_H
#define STORE_DEADLINES_H

#include <stdint.h>

#define DEADLINE_NEVER INT64_MAX

struct store;
struct group;

/*
 * Sets or replaces the deadline of a group that has a lifetime. due_ns: on the monotonic clock;
 * DEADLINE_NEVER: none.
 */
void deadline_set(struct store *s, struct group *g, int64_t due_ns);
void deadline_clear(struct store *s, struct group *g);

#endif
