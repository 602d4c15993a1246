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

/* From now on; the last one has no open files. NULL: none. The first call makes its file layer the
 * one that SQLite has by default, and src/ finds below its own. */
void disk_use(struct disk *d);
struct disk *disk_in_use(void);
/* Descriptors that are open. */
unsigned disk_descriptors(void);

/* Other descriptors that are none of the system's: both say false of what is not theirs. */
void disk_share_descriptors(bool (*read_fn)(int fd, void *to, size_t n, ssize_t *ret),
			    bool (*close_fn)(int fd));

/* disk_vfs.c */
void disk_vfs_register(void);

#endif
