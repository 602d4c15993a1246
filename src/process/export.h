/*
 * `tallygate export FILE`: prints a database as a script of pushes, which any Pushgateway accepts.
 */
#ifndef PROCESS_EXPORT_H
#define PROCESS_EXPORT_H

/* argv[0] is "export". A shell script goes to stdout; returns the status to exit with. */
int export_database(int argc, char **argv);

#endif
