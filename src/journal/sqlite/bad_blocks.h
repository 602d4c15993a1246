/*
 * What the disk does not read of a database and its WAL, in blocks of 4 KiB: a bad sector spoils
 * its block, a disk that has gone away all of them.
 */
#ifndef JOURNAL_SQLITE_BAD_BLOCKS_H
#define JOURNAL_SQLITE_BAD_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* After this many nothing more is read: a failing disk can take seconds to say so of each. */
enum { BAD_BLOCKS_MAX = 256 };

struct bad_blocks {
	uint64_t n;   /* BAD_BLOCKS_MAX + 1: more than that */
	uint64_t all; /* that were looked at */
};

/*
 * Reads all of the files from the disk, not from the kernel's memory; each block that fails a few
 * times, since one failure may be the cable's. Never while this process has the database open. -1:
 * errno, one of the files cannot be opened.
 */
int bad_blocks_count(const char *path, struct bad_blocks *ret);

/* Whether there are some, and the rest is most of it. */
bool bad_blocks_are_few(const struct bad_blocks *b);

/* Says so: what is wrong with a database of which they are few. */
void bad_blocks_say(const struct bad_blocks *b, const char *path, struct err *err);

#endif
