/*
 * The service manager, systemd: sockets that it opens for us, and our messages to it. Without a
 * service manager these functions do nothing. The main thread only, but for service_alive().
 */
#ifndef PROCESS_SERVICE_H
#define PROCESS_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct service_sockets {
	int *fds; /* owned, and so are the descriptors */
	size_t n;
};

/* Takes over the sockets that were passed (sd_listen_fds(3)). -1: there are none. */
int service_take_sockets(struct service_sockets *ret, struct err *err);
void service_sockets_done(struct service_sockets *s);

/* Set the status line of `systemctl status`. */
void service_loading(const char *what);
void service_ready(const char *status);
void service_stopping(void);

/*
 * WatchdogSec= of the unit, in nanoseconds; 0: none. Unless service_alive() is called again within
 * that time, the manager ends the process with SIGABRT and starts another.
 */
int64_t service_watchdog_ns(void);
void service_alive(void);

#endif
