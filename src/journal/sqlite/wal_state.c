#include "journal/sqlite/wal_state.h"

#include <unistd.h>

#include "journal/sqlite/synced.h"

enum { NOTE_UNTRIED = -2 };

int wal_state_open(struct db_file *file)
{
	struct wal_state *log = sqlite3_malloc(sizeof(*log));
	sqlite3_file *from = vfs_real(&file->base);
	unsigned char header[WAL_HEADER];
	int r;

	file->log = log;
	if (!log)
		return SQLITE_NOMEM;
	*log = (struct wal_state){
		.database = (struct db_file *)sqlite3_database_file_object(file->name),
		.note = NOTE_UNTRIED,
	};
	r = from->pMethods->xRead(from, header, sizeof(header), 0);
	if (r == SQLITE_OK)
		log->header_synced = wal_read_header(header, &log->generation);
	return r == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : r;
}

void wal_state_free(struct wal_state *log)
{
	if (log && log->note >= 0)
		close(log->note);
	sqlite3_free(log);
}

/* ---- how far it is synced ---- */

/* -1: it cannot be opened. */
static int open_note(struct db_file *file)
{
	char *name = sqlite3_mprintf("%s" SYNCED_SUFFIX, sqlite3_filename_database(file->name));
	int fd = name ? synced_open(name) : -1;

	sqlite3_free(name);
	return fd;
}

static void note_end(struct db_file *file, sqlite3_int64 end)
{
	struct wal_state *log = file->log;

	if (log->note == NOTE_UNTRIED)
		log->note = open_note(file);
	if (log->note >= 0)
		synced_write(log->note, &log->generation, (uint64_t)end);
}

void wal_state_synced(struct db_file *file)
{
	struct wal_state *log = file->log;

	if (!log->end)
		return;
	log->synced = log->end;
	log->header_synced = true;
	note_end(file, log->synced);
}

void wal_state_written(struct db_file *file, const void *from, int n, sqlite3_int64 at)
{
	struct wal_state *log = file->log;

	if (at == 0) {
		/* The WAL begins anew, because all of it is in the database: the old frames are not
		 * needed. */
		if (log->header_synced)
			note_end(file, WAL_HEADER);
		if (n == WAL_HEADER)
			wal_read_header(from, &log->generation);
		log->synced = log->end = WAL_HEADER;
		log->on_disk = log->commit_at = 0;
		log->header_due = true;
		log->header_synced = false;
		return;
	}
	/* The first write to a WAL found at start is at its end. */
	if (!log->synced)
		log->synced = log->end = at;
	if (n == WAL_FRAME_HEADER && wal_frame_commits(from))
		log->commit_at = at;
	if (at + n > log->end)
		log->end = at + n;
}

/* ---- what has failed ---- */

static bool commit_may_be_there(const struct wal_state *log)
{
	return log->commit_at >= log->synced && log->on_disk > log->commit_at;
}

int wal_state_cut(struct db_file *file)
{
	struct wal_state *log = file->log;
	sqlite3_int64 end = log->synced > WAL_HEADER ? log->synced : WAL_HEADER;
	sqlite3_int64 size = end > WAL_HEADER ? end : WAL_LEAST;
	sqlite3_int64 kept = file->reserve.bytes;
	sqlite3_file *to = vfs_real(&file->base);
	int r;

	file->n = 0;
	/* The old WAL is whole, and all of it is in the database. */
	if (!log->synced || log->header_due)
		return SQLITE_OK;
	if (!log->cut_due && !commit_may_be_there(log)) {
		log->end = log->on_disk = end;
		return SQLITE_OK;
	}
	log->cut_due = true;
	/* Whether or not the cut works, the next sync is only about bytes up to here. */
	log->end = end;
	read_ahead_changed(&file->ahead, -1, size);
	/* The file may have been cut already, but not synced. */
	r = log->on_disk > size ? to->pMethods->xTruncate(to, size) : SQLITE_OK;
	if (r == SQLITE_OK && log->on_disk > size) {
		log->on_disk = size;
		file->size = size;
		reserve_again(&file->reserve, size, kept);
	}
	if (r == SQLITE_OK)
		r = to->pMethods->xSync(to, SQLITE_SYNC_NORMAL);
	log->cut_due = r != SQLITE_OK;
	log->database->doubted |= log->cut_due;
	return r;
}
