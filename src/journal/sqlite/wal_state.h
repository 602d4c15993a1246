/*
 * How far a WAL has been written, synced and committed, as seen from SQLite's writes and syncs
 * (vfs.c), and what is cut off when these fail. Used by the thread that uses the connection.
 */
#ifndef JOURNAL_SQLITE_WAL_STATE_H
#define JOURNAL_SQLITE_WAL_STATE_H

#include "journal/sqlite/vfs_file.h"
#include "journal/sqlite/wal.h"

/* One WAL; numbers are offsets into it. */
struct wal_state {
	struct db_file *database;
	struct wal_generation generation;
	/* Where the last write ends, and the last synced byte. 0: not known yet. */
	sqlite3_int64 end, synced;
	sqlite3_int64 on_disk;   /* where the bytes end that were given to the kernel */
	sqlite3_int64 commit_at; /* the last frame that ends a commit */
	bool header_due;    /* the header of a new generation has yet to be written to the file */
	bool header_synced; /* that header has been synced */
	bool cut_due;       /* the bytes behind `synced` have yet to be cut off */
	int note;           /* see synced.h; -1: there is none */
};

/*
 * Makes the state of a WAL that has been opened, as file->log. Returns an SQLite result code: if
 * the header cannot be read, notes would be about another WAL.
 */
int wal_state_open(struct db_file *file);
/* NULL is fine. */
void wal_state_free(struct wal_state *log);

/* SQLite is about to write these n bytes at `at`. */
void wal_state_written(struct db_file *file, const void *from, int n, sqlite3_int64 at);
/* Call when everything written has been synced: notes it beside the database (synced.h). */
void wal_state_synced(struct db_file *file);

/*
 * A failed commit may nevertheless be whole in the WAL, and SQLite would accept it after a crash.
 * So everything behind the last sync is cut off, before the failure is reported. An incomplete
 * commit that a full disk did not take is harmless, and stays, since its room is needed. Returns an
 * SQLite result code; if that is not SQLITE_OK, cut_due is set: the disk takes neither the commit
 * nor its removal, and which of them a crash leaves is unknown until a later cut works.
 */
int wal_state_cut(struct db_file *file);

#endif
