/* What processes say to a summed group, from text bodies, for tests of merge/. */
#ifndef TESTS_LIB_SAY_H
#define TESTS_LIB_SAY_H

#include "merge/group.h"

/* The numbers of a body (text format) pushed to job j; gauges that no name speaks for get the
 * policy. NULL: *err. */
struct said *say(const char *body, enum merge_policy gauges, struct err *err);
struct said *say_with(const char *body, said_policy_fn policy, void *arg, struct err *err);

/* Appends what is exposed of the group: sample lines, sorted, without the labels of the key. */
void said_exposed(struct merged_group *g, double now, double zero_first, struct strbuf *out);

#endif
