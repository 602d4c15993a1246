/*
 * A disk in memory that can be told to fail. For each file it holds what is read (the kernel's
 * memory), what is on the platter, and all that was written since the last sync, in order. A power
 * cut keeps any part of that: each sector is as it was at some time since the sync, its last write
 * maybe torn. Names are apart from files: each change of them makes a version, a sync makes one
 * version durable, and a power cut goes back to that one or any later one. A process that is killed
 * loses nothing that it has written.
 *
 * At a moment that is chosen beforehand the disk dies: from then on no call has an effect, and
 * every call fails with EIO. A process that used the disk can then be closed in order and leaves no
 * trace of that, as if it had been killed at that moment. disk_boot() is the next start.
 *
 * Promises that the disk keeps: a write changes no byte beside it
 * (SQLITE_IOCAP_POWERSAFE_OVERWRITE); a file's length changes in the order of the calls; syncing a
 * file makes its name durable. For one thread. Errors are negative errno values.
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

#define DISK_SECTOR 512UL
#define DISK_BLOCK 4096UL
enum { DISK_NAMES = 48, DISK_NAME = 80 };

/* Each counter means: one call in so many fails; 0: none does. */
struct disk_faults {
	unsigned read, write, sync, names;
	unsigned lie;    /* a sync that does nothing and says that it has synced */
	unsigned shorts; /* a pread() that gets less than there is */
	uint64_t room;   /* bytes that fit on the disk; 0: any number */
	uint64_t next; /* bits, the lowest first: which of the next calls that change something fail
			*/
};

struct disk_write; /* a write, or a cut */

struct disk_file {
	uint64_t id; /* inode */
	unsigned open;
	struct strbuf now, platter;
	struct disk_write *since; /* writes since the last sync */
	size_t n_since, cap_since;
	size_t allocated; /* bytes; may lie behind the end */
	bool lied;        /* the last sync that was asked for has not been done */
	uint64_t named;   /* version of the names in which it first had one */
	long put;         /* how often its bytes were put there by somebody else */
	struct disk_file *next;
};

struct disk_names {
	size_t n;
	struct {
		char name[DISK_NAME];
		struct disk_file *file;
	} list[DISK_NAMES];
};

struct disk {
	uint64_t rng;
	struct disk_faults faults;
	struct disk_file *files;
	uint64_t ids;
	/* The first version is durable, the last one is what lookups see. */
	struct disk_names **versions;
	size_t n_versions;
	uint64_t first_version;
	uint64_t changes; /* calls that change something, so far */
	uint64_t dies_at; /* the change with which the disk dies; 0: it does not */
	bool dead;
	bool torn; /* a power cut or a sync that failed has torn a sector; the caller clears it */
	unsigned boots;
	/* Faults that have happened. */
	uint64_t failed, lies, cut_short, full;
};

struct disk *disk_new(uint64_t seed);
void disk_free(struct disk *d);

/* The disk dies within so many changes; changes is at least 1. */
void disk_die_within(struct disk *d, uint64_t changes);
/*
 * The next start, when no file is open. power_cut: the machine has lost its power; otherwise only
 * the process was killed.
 */
void disk_boot(struct disk *d, bool power_cut);

/* NULL: *ret_error says why. */
struct disk_file *disk_open(struct disk *d, const char *name, bool create, int *ret_error);
void disk_close(struct disk *d, struct disk_file *f);
/* Returns fewer bytes than asked for at the end of the file. */
ssize_t disk_read(struct disk *d, struct disk_file *f, void *to, size_t n, size_t at);
/* Returns fewer bytes than asked for when the disk is full. */
ssize_t disk_write(struct disk *d, struct disk_file *f, const void *from, size_t n, size_t at);
int disk_truncate(struct disk *d, struct disk_file *f, size_t size);
int disk_sync(struct disk *d, struct disk_file *f);
/*
 * A power cut could take what a sync has said to be durable. A process that is killed and started
 * again cannot know that either, until the file is really synced.
 */
bool disk_has_lied(const struct disk *d);
/* Reserves room for the file up to that size; its length stays. */
int disk_allocate(struct disk *d, struct disk_file *f, size_t size);
/* Reads come from the platter again, with what was written since. */
void disk_forget_cached(struct disk *d, struct disk_file *f);

struct disk_file *disk_find(const struct disk *d, const char *name);
int disk_link(struct disk *d, const char *from, const char *to);
int disk_rename(struct disk *d, const char *from, const char *to);
int disk_unlink(struct disk *d, const char *name);
int disk_sync_names(struct disk *d);

/* Makes a file with these bytes, durable as if it had been there before the machine started. */
void disk_put_file(struct disk *d, const char *name, struct str bytes);

/* Flips one bit of the file, on the platter and in memory. */
void disk_flip_bit(struct disk *d, struct disk_file *f, size_t bit);

/* disk_power.c: puts some part of what was written since the last sync onto the platter. */
void disk_lose_some(struct disk *d, struct disk_file *f, bool lengths_come);

struct disk_write {
	size_t at, n;
	char *bytes; /* NULL: the file is cut to `at` bytes */
};

/* These change bytes as the call did. */
void disk_put(struct strbuf *b, size_t at, const char *bytes, size_t n);
void disk_cut(struct strbuf *b, size_t size);
void disk_forget_writes(struct disk_file *f);

#endif
