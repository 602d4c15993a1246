/*
 * The service manager, systemd: sockets that it opens for us, and what we tell it. Started without
 * one, all of this does nothing. The main thread's.
 */
#ifndef PROCESS_SERVICE_H
#define PROCESS_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct service_sockets {
	int *fds; /* owned, and what they name */
	size_t n;
};

/* What was passed (sd_listen_fds(3)). -1: nothing was. */
int service_take_sockets(struct service_sockets *ret, struct err *err);
void service_sockets_done(struct service_sockets *s);

/* One line of `systemctl status`. */
void service_loading(const char *what);
void service_ready(const char *status);
void service_stopping(void);

/*
 * WatchdogSec= of the unit, 0: none. Within that time service_alive() is to be called again, or the
 * manager ends the process with SIGABRT and starts another.
 */
int64_t service_watchdog_ns(void);
void service_alive(void);

#endif
