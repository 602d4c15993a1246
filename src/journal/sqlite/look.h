/*
 * Which file it is and how long, and nothing else: whoever asks for a file's times, as stat() does,
 * has Linux note the next write to it more exactly than its clock ticks (multigrain timestamps,
 * since 6.13). The inode is then changed by every write, and a file system without a journal writes
 * it with every sync, which takes nearly as long as the data does.
 */
#ifndef JOURNAL_SQLITE_LOOK_H
#define JOURNAL_SQLITE_LOOK_H

#include <stdint.h>
#include <sys/types.h>

struct look {
	dev_t device;
	ino_t inode;
	int64_t size;
};

/* Of the name, through symbolic links, and of a descriptor. -1: errno. */
int look_at(const char *name, struct look *ret);
int look_into(int fd, struct look *ret);

#endif
