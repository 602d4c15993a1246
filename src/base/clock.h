/* The two clocks. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Unix time in seconds with sub-second digits, as the exposed time metrics have it. */
double clock_wall(void);
int64_t clock_wall_ns(void);
/* For durations and deadlines; unaffected by somebody setting the time. */
int64_t clock_mono_ns(void);

/*
 * For tests that have no other thread: the clocks stand still and say this until the next call.
 * Waiting still takes as long as it takes.
 */
void clock_hold(int64_t wall_ns, int64_t mono_ns);

#endif
