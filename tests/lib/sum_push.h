/* Pushes to summed groups, as HTTP workers make them. */
#ifndef TESTS_LIB_SUM_PUSH_H
#define TESTS_LIB_SUM_PUSH_H

#include "push/push.h"

/*
 * Of a path with its options ("/j/__mode__/sum/pid/1"; without a mode: summed) and a text body,
 * NULL for DELETE. NULL: *err says what is wrong with the path or what it says.
 */
struct push *make_sum_push(enum push_mode mode, const char *path, const char *body, double now,
			   struct err *err);

#endif
