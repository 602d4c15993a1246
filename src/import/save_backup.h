/* `tallygate backup URL FILE`: what a running gateway gives of its database, as a file. */
#ifndef IMPORT_SAVE_BACKUP_H
#define IMPORT_SAVE_BACKUP_H

/* argv[0] is "backup". Prints to stderr; returns the status to exit with. */
int save_backup(int argc, char **argv, const char *program);

#endif
