/*
 * Commands of the program beside serving: it prints something and ends, or becomes another program.
 */
#ifndef PROCESS_COMMANDS_H
#define PROCESS_COMMANDS_H

#include "config/config.h"

/* --version, in the lines of the Go gateway. */
void command_version(void);
/* --help and the shells' completions. */
void command_print(enum config_action action, const char *program);
/*
 * Runs the command that the first argument names, if it is one, like check, copy or export. For
 * import and backup, which need an HTTP client, the process becomes tallygate-import, the program
 * beside this one. False: it is no command. Otherwise it has run, and *ret is the status to exit
 * with.
 */
bool command_find(const char *program, int argc, char **argv, int *ret);

#endif
