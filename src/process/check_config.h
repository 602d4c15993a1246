/*
 * `tallygate check-config FILE [URL]`: whether --config.file could be FILE, and what it would do
 * with the group of a push URL.
 */
#ifndef PROCESS_CHECK_CONFIG_H
#define PROCESS_CHECK_CONFIG_H

/* argv[0] is "check-config". Prints to stdout and stderr; returns the status to exit with. */
int check_config(int argc, char **argv);

#endif
