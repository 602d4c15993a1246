/* Pushes as the HTTP workers make them, for tests that have no request. */
#ifndef TESTS_LIB_MAKE_PUSH_H
#define TESTS_LIB_MAKE_PUSH_H

#include "push/push.h"

/*
 * `path` is the part behind /metrics/job ("/x/a/b"), `body` is text, in which UTF-8 names are
 * allowed. Both must be well formed. The caller owns the push.
 */
struct push *make_push(enum push_mode mode, const char *path, const char *body, double now);

/* The same for families that text cannot express; borrows them for the call. */
struct push *make_push_of(enum push_mode mode, const char *path, struct family *families,
			  double now);

/* Fills *f with a chain of metrics and returns it. */
struct family *make_family(struct family *f, const char *name, int32_t type, struct metric *m);

#endif
