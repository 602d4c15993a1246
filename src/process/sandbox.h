/*
 * Rights that this process gives up for good, in case an attacker takes control of it: with
 * Landlock (landlock(7)) for files, with seccomp (seccomp(2)) for system calls. If the kernel, or
 * the container around the process, lacks one of them, the other holds by itself.
 *
 * sandbox_files() gives up writing outside the directory of the database, and starting programs.
 * Reading stays, since a changed web configuration may name other certificates. sandbox_calls()
 * gives up starting programs and processes, connecting and listening, changing users, mounts,
 * modules, tracing: all calls that are not in the list of those that a running gateway makes.
 */
#ifndef PROCESS_SANDBOX_H
#define PROCESS_SANDBOX_H

#include <stdbool.h>

#include "base/err.h"

enum sandbox_result {
	SANDBOX_ON,
	SANDBOX_MISSING, /* *err says what is missing; nothing has been given up */
};

/*
 * Before any other thread runs, since only threads that are started later inherit it. database: the
 * file of --persistence.file, or "". Its directory has to exist.
 */
enum sandbox_result sandbox_files(const char *database, struct err *err);

/*
 * Once all threads run and all sockets listen; holds for all threads. connects: the database is a
 * server, to which lost connections are made again.
 */
enum sandbox_result sandbox_calls(bool connects, struct err *err);

#endif
