/* Groups with a deadline, when they expire or a push is overdue; ordered by it. Committer only.
 */
#ifndef STORE_DEADLINES_H
#define STORE_DEADLINES_H

#include <stdint.h>

#define DEADLINE_NEVER INT64_MAX

struct store;
struct group;

/*
 * The group has a lifetime. due_ns: on the monotonic clock; DEADLINE_NEVER takes it out. Replaces
 * the deadline that it had.
 */
void deadline_set(struct store *s, struct group *g, int64_t due_ns);
void deadline_clear(struct store *s, struct group *g);

#endif
