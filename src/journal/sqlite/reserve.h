/*
 * Space on the disk that a file has before it needs it: blocks behind its end, which no other file
 * can get. The size of the file does not change. On a file system that cannot reserve space (NFS
 * before 4.2, ZFS) all calls succeed as if there were always enough; one that always writes to new
 * blocks (btrfs) promises space, but may not keep the promise.
 */
#ifndef JOURNAL_SQLITE_RESERVE_H
#define JOURNAL_SQLITE_RESERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct reserve {
	int fd; /* -1: nothing can be kept */
	int64_t bytes;
};

/*
 * For the file with this name, if it is still this inode. Closing it ends all locks that the
 * process has on the file (POSIX), so close it after the descriptor that holds locks.
 */
struct reserve reserve_open(const char *name, dev_t device, ino_t inode);
void reserve_close(struct reserve *r);

/* -1: the disk has no room for the file to become so long. */
int reserve_to(struct reserve *r, int64_t bytes);

/* Call when the file has been written up to there. */
void reserve_was_filled(struct reserve *r, int64_t bytes);
/* Call when the file has been cut to this length, which gives back the reserved blocks. */
void reserve_was_cut(struct reserve *r, int64_t bytes);
/* The same, and reserves again as much of `kept` as there is room for. */
void reserve_again(struct reserve *r, int64_t bytes, int64_t kept);

#endif
