/*
 * How far the WAL has been synced, in a small file of its own beside the database (PATH-synced):
 * a killed process leaves it, a clean stop removes it. What it says is on the disk; that the file
 * itself is synced now and then is enough, since it only ever says too little after a power cut.
 */
#ifndef JOURNAL_SQLITE_SYNCED_H
#define JOURNAL_SQLITE_SYNCED_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/sqlite/wal.h"

struct synced {
	struct wal_generation generation;
	uint64_t end;   /* bytes of the WAL */
	bool same_boot; /* written since the machine was started: not too old either */
};

#define SYNCED_SUFFIX "-synced"

/* False: there is none, or it makes no sense. */
bool synced_read(const char *path, struct synced *ret);

/* A descriptor to write to; -1: it cannot be had, and then nothing is kept. */
int synced_open(const char *path);
void synced_write(int fd, const struct wal_generation *generation, uint64_t end);

#endif
