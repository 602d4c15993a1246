/*
 * What code has done, counted and not timed: the basic blocks of src/ that were executed, and one
 * more for each sixteen bytes that the C library has copied or compared for it. Other work of
 * libraries is not counted. What a machine does beside does not change the number; the seeds of
 * hash tables do, a little. Only for programs of which tests/meson.build says so.
 */
#ifndef TESTS_LIB_WORK_H
#define TESTS_LIB_WORK_H

#include <stdint.h>

/* In this thread, since it began. */
uint64_t work_done(void);

#endif
