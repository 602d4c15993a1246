/*
 * Space on the disk that a file has before it needs it: blocks behind its end, which no other file
 * can get meanwhile. The size that the file shows does not change. Of a file system that cannot
 * promise space (NFS before 4.2, ZFS) nothing is asked, and there everything is as if there were
 * always enough; one that writes to new blocks always (btrfs) promises it, but may not keep it.
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
 * Of the file that has this name, if it is this one. Closing it ends all locks that the process has
 * on the file (POSIX), so the one who holds locks closes this one afterwards.
 */
struct reserve reserve_open(const char *name, dev_t device, ino_t inode);
void reserve_close(struct reserve *r);

/* -1: the disk has no room for the file to become so long. */
int reserve_to(struct reserve *r, int64_t bytes);

/* It has been written up to there. */
void reserve_was_filled(struct reserve *r, int64_t bytes);
/* The file has been made so short, which gives back what was kept behind. */
void reserve_was_cut(struct reserve *r, int64_t bytes);
/* The same, and as much of `kept` as there is room for is asked for again at once. */
void reserve_again(struct reserve *r, int64_t bytes, int64_t kept);

#endif
