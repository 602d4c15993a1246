#include "journal/sqlite/vfs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/str.h"
#include "journal/sqlite/look.h"
#include "journal/sqlite/wal_state.h"

/* SQLite never writes 128 KiB or more at once, because its own layer cannot. */
enum { PENDING_MAX = 64 * 1024 };

static sqlite3_vfs vfs;

/* After a write or sync with the result r. */
static int tried(sqlite3_file *f, int r)
{
	struct db_file *file = (struct db_file *)f;

	if (r != SQLITE_OK && file->log)
		wal_state_cut(file);
	return r;
}

/* ---- operations ---- */

static bool is_shortened(sqlite3_file *f)
{
	const struct db_file *file = (const struct db_file *)f;
	sqlite3_int64 has;
	struct look at;

	if (file->reserve.fd >= 0)
		return look_into(file->reserve.fd, &at) < 0 || at.size < file->size;
	return vfs_real(f)->pMethods->xFileSize(vfs_real(f), &has) != SQLITE_OK || has < file->size;
}

static int write_through(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	struct db_file *file = (struct db_file *)f;
	int r;

	/*
	 * A write behind the end of a shortened file would fill the gap with zeros. Whether the
	 * file still has its name is seen after the sync.
	 */
	if (file->log && is_shortened(f))
		return SQLITE_IOERR_WRITE;
	r = vfs_real(f)->pMethods->xWrite(vfs_real(f), from, n, at);
	read_ahead_changed(&file->ahead, n, at);
	if (r == SQLITE_OK && at + n > file->size)
		file->size = at + n;
	if (r == SQLITE_OK)
		reserve_was_filled(&file->reserve, at + n);
	/* If the disk was full, not all bytes were written. */
	if (r != SQLITE_FULL && file->log && at + n > file->log->on_disk)
		file->log->on_disk = at + n;
	if (r == SQLITE_OK && file->log && at == 0)
		file->log->header_due = false;
	return tried(f, r);
}

static int flush(sqlite3_file *f)
{
	struct db_file *file = (struct db_file *)f;
	int n = file->n, owed = file->owed;

	file->n = 0;
	file->owed = SQLITE_OK;
	if (owed != SQLITE_OK)
		return owed;
	return n ? write_through(f, file->pending, n, file->at) : SQLITE_OK;
}

/*
 * SQLite ignores the result of some calls, and would take a failed checkpoint for made; the error
 * is reported with the next call instead.
 */
static void flush_unheard(sqlite3_file *f)
{
	((struct db_file *)f)->owed = flush(f);
}

static int do_close(sqlite3_file *f)
{
	int r = flush(f);
	int closed = vfs_real(f)->pMethods->xClose(vfs_real(f));

	sqlite3_free(((struct db_file *)f)->pending);
	wal_state_free(((struct db_file *)f)->log);
	reserve_close(&((struct db_file *)f)->reserve);
	read_ahead_done(&((struct db_file *)f)->ahead);
	return r ? r : closed;
}

static int do_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	struct db_file *file = (struct db_file *)f;
	int r = flush(f);

	if (r == SQLITE_OK)
		r = read_ahead_read(&file->ahead, vfs_real(f), to, n, at);
	if (r != SQLITE_OK && r != SQLITE_IOERR_SHORT_READ)
		(file->log ? file->log->database : file)->read_failed = true;
	return r;
}

static int do_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	struct db_file *file = (struct db_file *)f;
	int r = SQLITE_OK;

	if (file->log && file->log->cut_due)
		r = wal_state_cut(file);
	if (r == SQLITE_OK && file->log)
		wal_state_written(file, from, n, at);
	if (r == SQLITE_OK && (file->owed || (file->n > 0 && (at != file->at + file->n ||
							      n > PENDING_MAX - file->n))))
		r = flush(f);
	if (r != SQLITE_OK)
		return r;
	if (!file->pending)
		file->pending = sqlite3_malloc(PENDING_MAX);
	if (!file->pending || n > PENDING_MAX)
		return write_through(f, from, n, at);
	if (file->n == 0)
		file->at = at;
	copy_bytes(file->pending + file->n, from, (size_t)n);
	file->n += n;
	return SQLITE_OK;
}

/*
 * A checkpoint cuts the database to the size that it has already, which would give back the room
 * reserved behind its end.
 */
static int do_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct db_file *file = (struct db_file *)f;
	sqlite3_int64 has, kept = file->reserve.bytes;
	int r = flush(f);

	if (r == SQLITE_OK)
		r = vfs_real(f)->pMethods->xFileSize(vfs_real(f), &has);
	if (r != SQLITE_OK || has == size)
		return r;
	read_ahead_changed(&file->ahead, -1, size);
	r = vfs_real(f)->pMethods->xTruncate(vfs_real(f), size);
	if (r != SQLITE_OK)
		return r;
	if (size < file->size)
		file->size = size;
	if (file->is_database)
		reserve_again(&file->reserve, size, kept);
	else
		reserve_was_cut(&file->reserve, size);
	return SQLITE_OK;
}

static int do_sync(sqlite3_file *f, int flags)
{
	struct db_file *file = (struct db_file *)f;
	struct err ignored;
	int r = flush(f);

	if (r != SQLITE_OK)
		return r;
	r = vfs_real(f)->pMethods->xSync(vfs_real(f), flags);
	if (r != SQLITE_OK) {
		(file->log ? file->log->database : file)->doubted = true;
		return tried(f, r);
	}
	if (!file->log)
		return SQLITE_OK;
	/* The sync went to a file that can no longer be opened by its name. */
	if (!vfs_is_there(file, &ignored) || !vfs_is_there(file->log->database, &ignored))
		return tried(f, SQLITE_IOERR_FSYNC);
	wal_state_synced(file);
	return SQLITE_OK;
}

static int do_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	int r = flush(f);

	return r ? r : vfs_real(f)->pMethods->xFileSize(vfs_real(f), size);
}

static int do_lock(sqlite3_file *f, int level)
{
	return vfs_real(f)->pMethods->xLock(vfs_real(f), level);
}

static int do_unlock(sqlite3_file *f, int level)
{
	flush_unheard(f);
	return vfs_real(f)->pMethods->xUnlock(vfs_real(f), level);
}

static int do_check_reserved_lock(sqlite3_file *f, int *ret)
{
	return vfs_real(f)->pMethods->xCheckReservedLock(vfs_real(f), ret);
}

static int do_file_control(sqlite3_file *f, int op, void *arg)
{
	flush_unheard(f);
	return vfs_real(f)->pMethods->xFileControl(vfs_real(f), op, arg);
}

static int do_sector_size(sqlite3_file *f)
{
	return vfs_real(f)->pMethods->xSectorSize(vfs_real(f));
}

static int do_device_characteristics(sqlite3_file *f)
{
	return vfs_real(f)->pMethods->xDeviceCharacteristics(vfs_real(f));
}

/* Version 1 has no shared memory, which we do not need, and no mapping, which would not see pending
 * writes. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = do_close,
	.xRead = do_read,
	.xWrite = do_write,
	.xTruncate = do_truncate,
	.xSync = do_sync,
	.xFileSize = do_file_size,
	.xLock = do_lock,
	.xUnlock = do_unlock,
	.xCheckReservedLock = do_check_reserved_lock,
	.xFileControl = do_file_control,
	.xSectorSize = do_sector_size,
	.xDeviceCharacteristics = do_device_characteristics,
};

static int opened(struct db_file *file, int flags)
{
	struct look at;

	if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
		return SQLITE_OK;
	if (look_at(file->name, &at) < 0)
		return SQLITE_CANTOPEN;
	if (vfs_has_moved(&file->base))
		return SQLITE_CANTOPEN;
	file->device = at.device;
	file->inode = at.inode;
	file->size = at.size;
	file->reserve = reserve_open(file->name, at.device, at.inode);
	file->is_database = flags & SQLITE_OPEN_MAIN_DB;
	if (file->is_database)
		return SQLITE_OK;
	/* Only part of an old WAL may be in use. */
	file->size = 0;
	return wal_state_open(file);
}

static int do_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	sqlite3_vfs *under = v->pAppData;
	struct db_file *file = (struct db_file *)f;
	int r;

	memset(f, 0, sizeof(struct db_file));
	file->reserve.fd = -1;
	r = under->xOpen(under, name, vfs_real(f), flags, ret_flags);
	/* If pMethods is set, SQLite calls xClose, even after an error. */
	if (vfs_real(f)->pMethods)
		f->pMethods = &methods;
	if (r != SQLITE_OK)
		return r;
	file->name = name;
	return opened(file, flags);
}

static struct db_file *file_of(sqlite3 *db, int which)
{
	sqlite3_file *f = NULL;

	if (sqlite3_file_control(db, "main", which, &f) != SQLITE_OK || !f ||
	    f->pMethods != &methods)
		return NULL;
	return (struct db_file *)f;
}

int vfs_check_files(sqlite3 *db, struct err *err)
{
	struct db_file *database = file_of(db, SQLITE_FCNTL_FILE_POINTER);
	struct db_file *wal = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);

	if (database && !vfs_is_there(database, err))
		return -1;
	return wal && wal->log && !vfs_is_there(wal, err) ? -1 : 0;
}

void vfs_access(sqlite3 *db, struct file_access *ret)
{
	struct db_file *database = file_of(db, SQLITE_FCNTL_FILE_POINTER);
	struct stat st;

	/* Also if its name is gone, or another file's. */
	if (database && database->reserve.fd >= 0 && fstat(database->reserve.fd, &st) == 0)
		*ret = file_access_of(&st);
}

int vfs_keep_space(sqlite3 *db, sqlite3_int64 database_bytes, sqlite3_int64 wal_bytes)
{
	struct db_file *database = file_of(db, SQLITE_FCNTL_FILE_POINTER);
	struct db_file *wal = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);

	if (wal && wal->log && reserve_to(&wal->reserve, wal_bytes) < 0)
		return -1;
	return database ? reserve_to(&database->reserve, database_bytes) : 0;
}

sqlite3_int64 vfs_wal_end(sqlite3 *db)
{
	struct db_file *wal = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);

	return wal && wal->log ? wal->log->end : 0;
}

sqlite3_int64 vfs_wal_room(sqlite3 *db)
{
	struct db_file *wal = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);

	return wal && wal->log ? wal->reserve.bytes : 0;
}

int vfs_sync(sqlite3 *db)
{
	struct db_file *wal = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);

	if (!wal || !wal->log)
		return -1;
	if (wal->log->cut_due)
		return vfs_cut(db);
	return vfs_real(&wal->base)->pMethods->xSync(vfs_real(&wal->base), SQLITE_SYNC_NORMAL) ==
			       SQLITE_OK
		       ? 0
		       : -1;
}

bool vfs_cut_is_due(sqlite3 *db)
{
	struct db_file *wal = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);

	return wal && wal->log && wal->log->cut_due;
}

int vfs_cut(sqlite3 *db)
{
	struct db_file *wal = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);

	return !wal || !wal->log || !wal->log->cut_due || wal_state_cut(wal) == SQLITE_OK ? 0 : -1;
}

bool vfs_is_doubted(sqlite3 *db)
{
	struct db_file *database = file_of(db, SQLITE_FCNTL_FILE_POINTER);

	return database && database->doubted;
}

bool vfs_read_failed(sqlite3 *db)
{
	struct db_file *database = file_of(db, SQLITE_FCNTL_FILE_POINTER);

	return database && database->read_failed;
}

const char *vfs_name(void)
{
	sqlite3_vfs *under = sqlite3_vfs_find(NULL);

	if (!under)
		return NULL;
	if (!vfs.zName) {
		vfs = *under;
		vfs.zName = "tallygate";
		vfs.szOsFile += (int)sizeof(struct db_file);
		vfs.pAppData = under;
		vfs.xOpen = do_open;
	}
	return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? vfs.zName : NULL;
}
