/*
 * Tells systemd's watchdog that the process is alive, on a thread of its own, so that it can name
 * the part that hangs, whatever locks that part holds. It takes only locks that are held for a few
 * instructions: not the store's, and not those of the heap.
 */
#ifndef PROCESS_WATCHDOG_H
#define PROCESS_WATCHDOG_H

#include "api/api.h"

struct watchdog;

/* Nanoseconds between two looks: a quarter of the unit's WatchdogSec=. 0: the unit has none. */
int64_t watchdog_period_ns(void);

/*
 * Once all parts have been started, on the main thread; *ret is NULL if the unit has no watchdog.
 */
int watchdog_start(struct watchdog **ret, struct api *api, struct err *err);
/*
 * The main thread, which counts as a part, calls this at least once in each period. NULL is fine.
 */
void watchdog_main_beats(struct watchdog *w);
/* Call before the first part is stopped. NULL is fine. */
void watchdog_stop(struct watchdog *w);

#endif
