/*
 * Where a log line goes. Before log_start() and after log_stop() whoever logs writes it to stderr;
 * in between it is put into a ring of 256 KiB, which a thread of its own writes out. A line that
 * finds no room is counted, and the next ones say how many there were.
 */
#ifndef BASE_LOG_OUT_H
#define BASE_LOG_OUT_H

#include <stddef.h>

/* Any thread; never waits for stderr while the thread runs. The line ends with its only LF. */
void log_out(const char *line, size_t n);

#endif
