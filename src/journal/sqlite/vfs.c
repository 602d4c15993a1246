#include "journal/sqlite/vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* SQLite's own layer takes no write of 128 KiB or more: it never makes one. */
enum { PENDING_MAX = 64 * 1024 };

/* The real file follows in memory. */
struct file {
	sqlite3_file base; /* first */
	char *pending;     /* made with the first write */
	sqlite3_int64 at;  /* where it belongs */
	int n;
};

static sqlite3_vfs vfs;

static sqlite3_file *real(sqlite3_file *f)
{
	return (sqlite3_file *)((struct file *)f + 1);
}

static int flush(sqlite3_file *f)
{
	struct file *file = (struct file *)f;
	int n = file->n;

	file->n = 0;
	return n ? real(f)->pMethods->xWrite(real(f), file->pending, n, file->at) : SQLITE_OK;
}

static int do_close(sqlite3_file *f)
{
	int r = flush(f);
	int closed = real(f)->pMethods->xClose(real(f));

	sqlite3_free(((struct file *)f)->pending);
	return r ? r : closed;
}

static int do_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	int r = flush(f);

	return r ? r : real(f)->pMethods->xRead(real(f), to, n, at);
}

static int do_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	struct file *file = (struct file *)f;
	int r = SQLITE_OK;

	if (file->n > 0 && (at != file->at + file->n || n > PENDING_MAX - file->n))
		r = flush(f);
	if (r != SQLITE_OK)
		return r;
	if (!file->pending)
		file->pending = sqlite3_malloc(PENDING_MAX);
	if (!file->pending || n > PENDING_MAX)
		return real(f)->pMethods->xWrite(real(f), from, n, at);
	if (file->n == 0)
		file->at = at;
	memcpy(file->pending + file->n, from, (size_t)n);
	file->n += n;
	return SQLITE_OK;
}

static int do_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int r = flush(f);

	return r ? r : real(f)->pMethods->xTruncate(real(f), size);
}

static int do_sync(sqlite3_file *f, int flags)
{
	int r = flush(f);

	return r ? r : real(f)->pMethods->xSync(real(f), flags);
}

static int do_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	int r = flush(f);

	return r ? r : real(f)->pMethods->xFileSize(real(f), size);
}

static int do_lock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xLock(real(f), level);
}

static int do_unlock(sqlite3_file *f, int level)
{
	int r = flush(f);
	int unlocked = real(f)->pMethods->xUnlock(real(f), level);

	return r ? r : unlocked;
}

static int do_check_reserved_lock(sqlite3_file *f, int *ret)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), ret);
}

static int do_file_control(sqlite3_file *f, int op, void *arg)
{
	int r = flush(f);

	return r ? r : real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int do_sector_size(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}

static int do_device_characteristics(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

/* Version 1: no memory shared with other processes, and no mapping that would miss what waits. */
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

static int do_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	sqlite3_vfs *under = v->pAppData;
	int r;

	memset(f, 0, sizeof(struct file));
	r = under->xOpen(under, name, real(f), flags, ret_flags);
	/* Whoever sees methods has to close the file. */
	if (real(f)->pMethods)
		f->pMethods = &methods;
	return r;
}

const char *vfs_name(void)
{
	sqlite3_vfs *under = sqlite3_vfs_find(NULL);

	if (!vfs.zName) {
		vfs = *under;
		vfs.zName = "tallygate";
		vfs.szOsFile += (int)sizeof(struct file);
		vfs.pAppData = under;
		vfs.xOpen = do_open;
	}
	return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? vfs.zName : NULL;
}
