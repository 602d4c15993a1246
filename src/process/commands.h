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
 * `tallygate import`: becomes tallygate-import, the program beside this one. Returns, with an exit
 * status, only if that cannot be started.
 */
int command_import(const char *program, char **argv);

#endif
