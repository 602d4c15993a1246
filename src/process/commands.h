/* What the program does besides serving: it prints something and ends, or becomes another program.
 */
#ifndef PROCESS_COMMANDS_H
#define PROCESS_COMMANDS_H

#include "config/config.h"

/* --version, in the lines of the Go gateway. */
void command_version(void);
/* --help and the shells' completions. */
void command_print(enum config_action action, const char *program);
/*
 * The word behind the program's name may be a command: check, copy, export, check-config; or import
 * and backup, which need an HTTP client, so that we become tallygate-import, the program beside
 * this one. False: it is none. Otherwise it has run, and *ret is the status to exit with.
 */
bool command_find(const char *program, int argc, char **argv, int *ret);

#endif
