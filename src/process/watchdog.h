/*
 * What tells systemd's watchdog that the process is alive: a thread of its own, so that it can name
 * the part that hangs, whatever that part holds. Of the other parts' locks it takes only those that
 * are held for a few instructions: not the store's, and not those of the heap.
 */
#ifndef PROCESS_WATCHDOG_H
#define PROCESS_WATCHDOG_H

#include "api/api.h"

struct watchdog;

/* Four looks in each WatchdogSec= of the unit; nanoseconds. 0: the unit has none. */
int64_t watchdog_period_ns(void);

/* All parts have been started. The main thread's; *ret is NULL where the unit has no watchdog. */
int watchdog_start(struct watchdog **ret, struct api *api, struct err *err);
/* The main thread's at least once in each period: it counts as a part. NULL is fine. */
void watchdog_main_beats(struct watchdog *w);
/* Before the first part is stopped. NULL is fine. */
void watchdog_stop(struct watchdog *w);

#endif
