/*
 * A damaged file, some of whose sectors the disk may not read any more. It is read, never mapped: a
 * sector below a mapping that cannot be read ends the process with SIGBUS.
 */
#ifndef JOURNAL_SQLITE_HARMED_FILE_H
#define JOURNAL_SQLITE_HARMED_FILE_H

#include <stddef.h>
#include <stdint.h>

struct harmed_file {
	int fd; /* -1: there is none, which is the same as an empty one */
	uint64_t size;
};

/* -1: errno. */
int harmed_file_open(const char *path, struct harmed_file *ret);
void harmed_file_close(struct harmed_file *f);

/* What is behind the end, or in a block of 4 KiB that cannot be read, is read as zeros. */
void harmed_file_read(const struct harmed_file *f, void *to, size_t n, uint64_t at);

#endif
