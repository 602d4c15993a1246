/*
 * The clocks, and waiting by them. Any thread. Nobody else asks the system for the time, so that
 * tests can say what it is (tests/lint/seams.py).
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Unix time in seconds with sub-second digits, as the exposed time metrics have it. */
double clock_wall(void);
int64_t clock_wall_ns(void);
/* For durations and deadlines; unaffected by somebody setting the time. */
int64_t clock_mono_ns(void);
/* Since the machine was started, with the time that it was suspended. */
int64_t clock_boot_ns(void);

/*
 * The caller holds the lock. Waits for the condition until clock_mono_ns() reaches until_ns, and
 * returns false if nobody had signalled by then. Like pthread_cond_wait(), it may return true for
 * no reason.
 */
bool clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ns);

/*
 * For tests that have no other thread: the clocks stand still and say this until the next call.
 * Waiting still takes as long as it takes.
 */
void clock_hold(int64_t wall_ns, int64_t mono_ns);

#endif
