/*
 * The main thread while the others serve: it waits for signals, and every few seconds frees memory
 * that is not needed and logs what is due.
 */
#ifndef PROCESS_WATCH_H
#define PROCESS_WATCH_H

#include <signal.h>

#include "api/api.h"
#include "process/watchdog.h"

/*
 * Before any other thread is started. *stop: the signals that only the main thread gets, and waits
 * for.
 */
void watch_block_signals(sigset_t *stop);

/* Until a signal says stop; SIGHUP reloads the rules. The watchdog may be NULL. */
void watch_until_stop(struct api *api, const sigset_t *stop, struct watchdog *watchdog);

#endif
