/*
 * What this process gives up for good, in case somebody finds a way to make it do what he wants:
 * Landlock (landlock(7)) for files, seccomp (seccomp(2)) for system calls. Where the kernel, or the
 * container around us, has one of them not, the other holds by itself.
 *
 * Without the files: writing outside the directory of the database, and starting programs. Reading
 * stays, as the web configuration may name other certificates with each change.
 * Without the calls: starting programs and processes, connecting and listening, changing users,
 * mounts, modules, tracing others: all that is not in the list of what a running gateway does.
 */
#ifndef PROCESS_SANDBOX_H
#define PROCESS_SANDBOX_H

#include <stdbool.h>

#include "base/err.h"

enum sandbox_result {
	SANDBOX_ON,
	SANDBOX_MISSING, /* *err says what there is not; nothing has been given up */
};

/*
 * Before any other thread runs: a thread hands it on to those that it starts. database: the file of
 * --persistence.file, or "". Its directory has to be there.
 */
enum sandbox_result sandbox_files(const char *database, struct err *err);

/*
 * When all threads run and all sockets listen; for all threads. connects: the database is a server,
 * to which connections are made again when they are lost.
 */
enum sandbox_result sandbox_calls(bool connects, struct err *err);

#endif
