/* Notes how far the WAL has been synced, in a small file beside the database (PATH-synced). A
 * killed process leaves it; a clean stop removes it. The WAL is on the disk at least up to what the
 * note says. The note itself is synced only now and then: after a power cut it may say too little,
 * never too much.
 */
#ifndef JOURNAL_SQLITE_SYNCED_H
#define JOURNAL_SQLITE_SYNCED_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/sqlite/wal.h"

struct synced {
	struct wal_generation generation;
	uint64_t end;   /* bytes of the WAL */
	bool same_boot; /* written since the machine was booted, so the newest note */
};

#define SYNCED_SUFFIX "-synced"

/* False: there is none, or it is damaged. */
bool synced_read(const char *path, struct synced *ret);

/* A descriptor to write to; -1: it cannot be opened, and nothing will be noted. */
int synced_open(const char *path);
void synced_write(int fd, const struct wal_generation *generation, uint64_t end);

#endif
