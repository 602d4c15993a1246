/*
 * The disk as the file system of the program: SQLite's own file layer, and the system calls of
 * src/, around which the linker puts wrappers (tests/meson.build). All names below DISK_DIRECTORY
 * are the disk's, and nothing else is; there are no symbolic links on it.
 */
#ifndef TESTS_SIM_DISK_CALLS_H
#define TESTS_SIM_DISK_CALLS_H

#include "sim/disk.h"

#define DISK_DIRECTORY "/simulated/"
#define DISK_DATABASE DISK_DIRECTORY "db"

/*
 * Calls go to this disk from now on; the disk before it has no open files. NULL: to none. The first
 * call makes the disk's file layer SQLite's default, which src/ puts its own on top of.
 */
void disk_use(struct disk *d);
struct disk *disk_in_use(void);
/* How many descriptors are open. */
unsigned disk_descriptors(void);

/* Adds other simulated descriptors: both functions return false for one that is not theirs. */
void disk_share_descriptors(bool (*read_fn)(int fd, void *to, size_t n, ssize_t *ret),
			    bool (*close_fn)(int fd));

/* disk_vfs.c */
void disk_vfs_register(void);

#endif
