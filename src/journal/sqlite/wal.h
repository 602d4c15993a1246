/*
 * SQLite's write-ahead log as bytes (sqlite.org/fileformat2.html, section 4), read before SQLite
 * does. SQLite uses the frames before the first one that is not valid, and drops the rest silently.
 * After a crash the rest was not synced; but if a frame was damaged later, the rest had been
 * committed.
 */
#ifndef JOURNAL_SQLITE_WAL_H
#define JOURNAL_SQLITE_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { WAL_HEADER = 32, WAL_FRAME_HEADER = 24 };

/* What a WAL is cut to that has a header and no commit: SQLite does not read a header that nothing
 * follows, and would begin to count its generations anew. */
enum { WAL_LEAST = WAL_HEADER + 1 };

/* When all of a WAL is in the database, it is written again from its start, with new values of
 * these. */
struct wal_generation {
	uint32_t number; /* counts up */
	uint32_t salt[2];
};

struct wal {
	enum {
		WAL_NONE,    /* there is none, or nothing was written to it yet */
		WAL_GARBLED, /* its header is damaged: SQLite would throw all of it away */
		WAL_READ,    /* the members below are set */
	} kind;
	/* Of one that is garbled. If its header follows from its first frame, it is made, and the
	 * members below are set. */
	bool is_header_only; /* nothing that could be a frame follows */
	bool has_made_header;
	unsigned char made_header[WAL_HEADER];
	struct wal_generation generation;
	uint64_t committed; /* where SQLite cuts: the end of the last commit */
	uint64_t commits;   /* up to there */
	/* Frames of this generation from there on, and those of them that say that they end a
	 * commit. */
	uint64_t frames_behind, commits_behind;
	/*
	 * One of them follows a frame that says so; and one that fits its checksum, too. A power
	 * cut that tears the header of a frame may leave what the frame of an older generation in
	 * its place has said, beside the salt of this one.
	 */
	bool frames_behind_commit, frames_behind_intact_commit;
};

/* Of the bytes of a WAL's header; false: it is damaged. */
bool wal_read_header(const unsigned char header[WAL_HEADER], struct wal_generation *ret);

/* Of the bytes of a frame's header: it is the last of a commit. */
bool wal_frame_commits(const unsigned char header[WAL_FRAME_HEADER]);

/* -1: it could not be read, *err (ERR_SYSTEM) says why. */
int wal_read(const char *path, struct wal *ret, struct err *err);

/* A page as a frame has it; intact: the frame fits its checksum. */
typedef void (*wal_frame_fn)(void *arg, uint32_t page, const unsigned char *bytes, bool intact);

/*
 * Of a damaged WAL, whole in memory: frames of its generation, the oldest first, up to the last
 * that is known to have been committed: because of `committed` (bytes, see synced.h; 0: not known),
 * or because one that ends a commit is intact.
 */
void wal_each_committed(const unsigned char *wal, size_t n, uint64_t committed, size_t page,
			wal_frame_fn fn, void *arg);

#endif
