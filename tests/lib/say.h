/* Makes pushes to a summed group from text bodies, for tests of merge/. */
#ifndef TESTS_LIB_SAY_H
#define TESTS_LIB_SAY_H

#include "merge/group.h"

/*
 * The numbers of a body (text format) pushed to job j; `gauges` is the policy of gauges whose name
 * implies none. NULL: *err.
 */
struct said *say(const char *body, enum merge_policy gauges, struct err *err);
struct said *say_with(const char *body, said_policy_fn policy, void *arg, struct err *err);

/* Appends the group's exposition: sample lines, sorted, without the labels of the key. */
void said_exposed(struct merged_group *g, double now, double zero_first, struct strbuf *out);

#endif
