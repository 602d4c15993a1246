/* Pushes to summed groups, as HTTP workers make them. */
#ifndef TESTS_LIB_SUM_PUSH_H
#define TESTS_LIB_SUM_PUSH_H

#include "push/push.h"
#include "store/store.h"

/*
 * Of a path with its options ("/j/__mode__/sum/pid/1"; without a mode: summed) and a text body,
 * NULL for DELETE. NULL: *err says what is wrong with the path or what it says.
 */
struct push *make_sum_push(enum push_mode mode, const char *path, const char *body, double now,
			   struct err *err);

/* What a rule says of pushes from now on; NULL: nothing. */
void sum_push_rule(const struct group_options *rule);

/* What is done to the families of each body from now on, in the arena; NULL: nothing. */
void sum_push_edit(void (*edit)(void *arg, struct family *families, struct arena *a), void *arg);

/* Appends the lines that a scrape shows of job j, without its labels, and without push times. */
void sum_exposed(struct store *s, struct strbuf *out);

#endif
