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
#include "journal/sqlite/harmed_file.h"

enum { WAL_HEADER = 32, WAL_FRAME_HEADER = 24 };

/*
 * The length to which a WAL with a header and no commit is cut: SQLite does not read a header that
 * nothing follows, and would count its generations anew.
 */
enum { WAL_LEAST = WAL_HEADER + 1 };

/*
 * A WAL that is in the database as a whole is written again from its start, with new values of
 * these.
 */
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
	/*
	 * For WAL_GARBLED. has_made_header: the header was made from the first frame, and the
	 * members below are set.
	 */
	bool is_header_only; /* nothing that could be a frame follows */
	bool has_made_header;
	unsigned char made_header[WAL_HEADER];
	struct wal_generation generation;
	uint64_t committed; /* where SQLite cuts: the end of the last commit */
	uint64_t commits;   /* how many commits end up to there */
	/*
	 * Frames of this generation behind `committed`, and how many of them claim to end a commit.
	 */
	uint64_t frames_behind, commits_behind;
	/*
	 * Whether a frame follows one that claims so; and one whose checksum fits as well. When a
	 * power cut tears the header of a frame, the claim of an older generation's frame may
	 * remain in its place, beside the salt of this one.
	 */
	bool frames_behind_commit, frames_behind_intact_commit;
};

/* Reads a WAL's header; false: it is damaged. */
bool wal_read_header(const unsigned char header[WAL_HEADER], struct wal_generation *ret);

/* Whether a frame with this header is the last of a commit. */
bool wal_frame_commits(const unsigned char header[WAL_FRAME_HEADER]);

/* -1: it could not be read, *err (ERR_SYSTEM) says why. */
int wal_read(const char *path, struct wal *ret, struct err *err);

/* A page in a frame, whose bytes begin there in the WAL; intact: the frame fits its checksum. */
typedef void (*wal_frame_fn)(void *arg, uint32_t page, uint64_t at, bool intact);

/*
 * Calls fn for frames of a damaged WAL: those of its generation, the oldest first, up to the last
 * one that is known to be committed, by `committed` (bytes, see synced.h; 0: not known) or by an
 * intact frame that ends a commit.
 */
void wal_each_committed(const struct harmed_file *wal, uint64_t committed, size_t page,
			wal_frame_fn fn, void *arg);

#endif
