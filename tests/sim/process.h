/*
 * The gateway's process without its main(): all that main.c starts, in its order, on simulated
 * threads, sockets and files. Signals, systemd and the sandbox are left out.
 */
#ifndef TESTS_SIM_PROCESS_H
#define TESTS_SIM_PROCESS_H

#include "api/api.h"
#include "base/queue.h"
#include "config/config.h"

struct process {
	struct config config;
	struct store *store;
	struct storage *storage;
	struct queue queue;
	struct api api;
	bool set_aside; /* what was found was damaged */
};

/* args: flags, ended by NULL. NULL: *err, and there is no process. */
struct process *process_start(const char *const *args, struct err *err);
/* As SIGTERM does. On a dead disk nothing of it has an effect. */
void process_stop(struct process *p);

/* A connection from a client at that socket (net.h). */
void process_accept(struct process *p, int fd);

#endif
