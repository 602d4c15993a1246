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
	bool set_aside; /* the database that was found was damaged */
};

/* args: flags, ended by NULL. NULL: *err, and there is no process. */
struct process *process_start(const char *const *args, struct err *err);
/* Stops as SIGTERM does. On a dead disk this changes nothing. */
void process_stop(struct process *p);

/* Accepts a client's connection: fd is its socket (net.h). */
void process_accept(struct process *p, int fd);

#endif
