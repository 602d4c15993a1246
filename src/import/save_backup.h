/* `tallygate backup URL FILE`: saves the backup that a running gateway makes of its database. */
#ifndef IMPORT_SAVE_BACKUP_H
#define IMPORT_SAVE_BACKUP_H

/* argv[0] is "backup". Prints to stderr; returns the status to exit with. */
int save_backup(int argc, char **argv, const char *program);

#endif
