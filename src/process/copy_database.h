/* `tallygate copy --from FILE|URL --to FILE|URL`: copies a database, as a whole or not at all. */
#ifndef PROCESS_COPY_DATABASE_H
#define PROCESS_COPY_DATABASE_H

/* argv[0] is "copy". Prints to stdout and stderr; returns the status to exit with. */
int copy_database(int argc, char **argv);

#endif
