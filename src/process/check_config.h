/*
 * `tallygate check-config [--push.enable-utf8-names] FILE [URL]`: checks FILE as a --config.file,
 * and prints what its rules would do with the group of a push URL.
 */
#ifndef PROCESS_CHECK_CONFIG_H
#define PROCESS_CHECK_CONFIG_H

#include "api/path.h"

/*
 * Parses the URL of a push, in which everything in front of /metrics/job and its mode is taken for
 * a host and a route prefix. Borrows from the URL or lives in the arena. -1: *err.
 */
int check_config_url(const char *url, struct arena *a, struct push_path *ret, struct err *err);

/* argv[0] is "check-config". Prints to stdout and stderr; returns the status to exit with. */
int check_config(int argc, char **argv);

#endif
