/* The two clocks. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Unix time in seconds with sub-second digits, as the exposed time metrics have it. */
double clock_wall(void);
int64_t clock_wall_ns(void);
/* For durations and deadlines; unaffected by somebody setting the time. */
int64_t clock_mono_ns(void);

#endif
