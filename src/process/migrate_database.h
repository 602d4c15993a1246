/*
 * `tallygate migrate --persistence.url=URL`: brings a log in PostgreSQL to the newest epoch that
 * this version knows, once no gateway of an older version uses it.
 */
#ifndef PROCESS_MIGRATE_DATABASE_H
#define PROCESS_MIGRATE_DATABASE_H

/* argv[0] is "migrate". Prints to stdout and stderr; returns the status to exit with. */
int migrate_database(int argc, char **argv);

#endif
