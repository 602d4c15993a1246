/*
 * How far a WAL has been written, synced and committed, as seen from the writes and syncs that
 * SQLite makes (vfs.c), and what is cut off it where they fail. The thread that uses the
 * connection.
 */
#ifndef JOURNAL_SQLITE_WAL_STATE_H
#define JOURNAL_SQLITE_WAL_STATE_H

#include "journal/sqlite/vfs_file.h"
#include "journal/sqlite/wal.h"

/* Of one WAL: offsets into it. */
struct wal_state {
	struct db_file *database;
	struct wal_generation generation;
	/* Where what was written last ends, and what was synced last. 0: not known yet. */
	sqlite3_int64 end, synced;
	sqlite3_int64 on_disk;   /* where what has left this process ends */
	sqlite3_int64 commit_at; /* the last frame that ends a commit */
	bool header_due;         /* the header of a new generation is not in the file yet */
	bool header_synced;      /* it is on the disk */
	bool cut_due;            /* the bytes behind `synced` have yet to be cut off */
	int note;                /* see synced.h; -1: there is none */
};

/*
 * Of a WAL that has been opened, which gets it as its log. Returns a result code of SQLite: of a
 * header that cannot be read, what is noted would be about another WAL.
 */
int wal_state_open(struct db_file *file);
/* NULL is fine. */
void wal_state_free(struct wal_state *log);

/* SQLite is about to write these n bytes at `at`. */
void wal_state_written(struct db_file *file, const void *from, int n, sqlite3_int64 at);
/* All that was written has been synced: that is noted beside the database (synced.h). */
void wal_state_synced(struct db_file *file);

/*
 * A commit that has failed may stand whole in the WAL all the same, and SQLite would take it for
 * good after a crash. So what is behind the last sync goes, before anybody is told of the failure.
 * A part of one that a full disk did not take harms nobody, and the room that it has is needed.
 * Returns a result code of SQLite; unless that is SQLITE_OK, cut_due is set: the disk takes neither
 * the commit nor its end, and which of them a crash leaves is not known until a later cut works.
 */
int wal_state_cut(struct db_file *file);

#endif
