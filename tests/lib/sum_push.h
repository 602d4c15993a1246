/* Pushes to summed groups, as HTTP workers make them. */
#ifndef TESTS_LIB_SUM_PUSH_H
#define TESTS_LIB_SUM_PUSH_H

#include "push/push.h"
#include "store/store.h"

/*
 * Makes a push of a path with its options ("/j/__mode__/sum/pid/1"; without a mode: summed) and a
 * text body, NULL for DELETE. NULL: *err says what is wrong with the path or its options.
 */
struct push *make_sum_push(enum push_mode mode, const char *path, const char *body, double now,
			   struct err *err);

/* Sets the options that a rule gives to all further pushes; NULL: none. */
void sum_push_rule(const struct group_options *rule);

/* Sets a function that changes the families of all further bodies, in the arena; NULL: none. */
void sum_push_edit(void (*edit)(void *arg, struct family *families, struct arena *a), void *arg);

/* Appends the exposed lines of job j, without its labels, and without push times. */
void sum_exposed(struct store *s, struct strbuf *out);

#endif
