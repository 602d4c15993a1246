/* Finds out whether files have changed without reading them, from their stamps. The first file
 * names the others. One thread at a time.
 */
#ifndef ACCESS_WATCHED_FILES_H
#define ACCESS_WATCHED_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum { WATCHED_FILES_MAX = 4 };

/* What tells one version of a file from another. All 0: the file is not there. */
struct file_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
};

struct watched_file {
	char *path; /* owned */
	struct file_stamp stamp;
	int64_t seen_ns; /* when we first saw this stamp: clocks of file servers may be wrong */
};

struct watched_files {
	struct watched_file list[WATCHED_FILES_MAX];
	size_t n;
	/*
	 * When the stamps were taken, one of them was so new that its file may not be complete, and
	 * that a later change may have the same stamp, since clocks of file systems are coarse.
	 */
	bool young;
};

/* Watches the first file. */
void watched_files_begin(struct watched_files *f, const char *path);
void watched_files_done(struct watched_files *f);

/*
 * Watches the files that the first one names as well; paths may have NULLs. Files watched already
 * keep their stamps.
 */
void watched_files_name(struct watched_files *f, const char *const *paths, size_t n);

/* To be called before reading the files, so that a change meanwhile is seen the next time. */
void watched_files_take_stamps(struct watched_files *f);
/* Whether a file has another stamp now than when stamps were taken. */
bool watched_files_changed(const struct watched_files *f);
/* False: one is a pipe or the like, which cannot be read twice. */
bool watched_files_are_regular(const struct watched_files *f);

static inline const char *watched_files_first(const struct watched_files *f)
{
	return f->list[0].path;
}

#endif
