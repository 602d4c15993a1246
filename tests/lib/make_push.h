/* Pushes as the HTTP workers make them, for tests that have no request. */
#ifndef TESTS_LIB_MAKE_PUSH_H
#define TESTS_LIB_MAKE_PUSH_H

#include "push/push.h"

/*
 * `path` is what follows /metrics/job ("/x/a/b"), `body` is text, UTF-8 names allowed. Both must be
 * well formed. The push is the caller's.
 */
struct push *make_push(enum push_mode mode, const char *path, const char *body, double now);

/* The same of families that no text could say; borrows them for the call. */
struct push *make_push_of(enum push_mode mode, const char *path, struct family *families,
			  double now);

/* Fills *f with a chain of metrics and returns it. */
struct family *make_family(struct family *f, const char *name, int32_t type, struct metric *m);

#endif
