/*
 * `tallygate import URL`: copies what a live Pushgateway holds into a database of ours, which no
 * gateway may have open and in which there may be no group yet. In one transaction: an import that
 * fails leaves an empty database at the most.
 */
#ifndef IMPORT_COMMAND_H
#define IMPORT_COMMAND_H

/* argv[0] is the word `import`. The exit status: 0 when all that our rules allow has come over. */
int import_command(const char *program, int argc, char **argv);

#endif
