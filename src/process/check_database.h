/* `tallygate check FILE`: prints what a gateway would find in a database, without changing it. */
#ifndef PROCESS_CHECK_DATABASE_H
#define PROCESS_CHECK_DATABASE_H

/*
 * argv[0] is "check". Prints to stdout and stderr; returns the status to exit with: 0: it is sound,
 * 1: it is damaged, 2: nothing can be said.
 */
int check_database(int argc, char **argv);

#endif
