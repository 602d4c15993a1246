/*
 * Keeps other processes from opening a database while its file is moved, by the locks that SQLite
 * takes (os.h). Without it two gateways that were started with the same name, after its file was
 * removed, would set each other's database aside in turn. On a file system without locks nothing is
 * held, as SQLite cannot be used by one gateway at a time there either.
 *
 * Never while this process has the database open.
 */
#ifndef JOURNAL_SQLITE_HOLD_H
#define JOURNAL_SQLITE_HOLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct hold {
	int fd; /* -1: there was no file to hold */
	dev_t device;
	ino_t inode;
};

/* -1: another process has it open, or has just replaced it; *err says so, nothing is held. */
int hold_begin(const char *path, struct hold *ret, struct err *err);
void hold_end(struct hold *h);

/*
 * -1: another file has the name than the one that is held, or one has it though there was none;
 * *err says so.
 */
int hold_check(const struct hold *h, const char *path, struct err *err);

/* What another process does with the file: *err says that it is in use. -1. */
int hold_refuse(const char *path, struct err *err);

#endif
