/* SQLite's file layer on the simulated disk. */
#include <assert.h>
#include <errno.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/random.h"
#include "sim/disk_calls.h"

struct disk_vfs_file {
	sqlite3_file base; /* first */
	struct disk_file *file;
	const char *name;
	bool delete_on_close, sync_names;
};

static struct disk_file *of(sqlite3_file *f)
{
	return ((struct disk_vfs_file *)f)->file;
}

static int code_of(int error, int code)
{
	return error == -ENOSPC ? SQLITE_FULL : error == -ENOENT ? SQLITE_CANTOPEN : code;
}

static int do_close(sqlite3_file *f)
{
	struct disk_vfs_file *file = (struct disk_vfs_file *)f;

	if (file->delete_on_close)
		disk_unlink(disk_in_use(), file->name);
	disk_close(disk_in_use(), file->file);
	return SQLITE_OK;
}

static int do_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	ssize_t got = disk_read(disk_in_use(), of(f), to, (size_t)n, (size_t)at);

	if (got < 0)
		return SQLITE_IOERR_READ;
	if (got == n)
		return SQLITE_OK;
	memset((char *)to + got, 0, (size_t)(n - got));
	return SQLITE_IOERR_SHORT_READ;
}

static int do_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	ssize_t put = disk_write(disk_in_use(), of(f), from, (size_t)n, (size_t)at);

	if (put == n)
		return SQLITE_OK;
	return put < 0 ? code_of((int)put, SQLITE_IOERR_WRITE) : SQLITE_FULL;
}

static int do_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int r = disk_truncate(disk_in_use(), of(f), (size_t)size);

	return r == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int do_sync(sqlite3_file *f, int flags)
{
	struct disk_vfs_file *file = (struct disk_vfs_file *)f;

	(void)flags;
	if (disk_sync(disk_in_use(), file->file) < 0)
		return SQLITE_IOERR_FSYNC;
	/* SQLite's own layer does not look at the result of this either. */
	if (file->sync_names && disk_sync_names(disk_in_use()) == 0)
		file->sync_names = false;
	return SQLITE_OK;
}

static int do_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)of(f)->now.n;
	return disk_in_use()->dead ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

static int do_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK;
}

static int do_check_reserved_lock(sqlite3_file *f, int *ret)
{
	(void)f;
	*ret = 0;
	return SQLITE_OK;
}

static int do_file_control(sqlite3_file *f, int op, void *arg)
{
	(void)f;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int do_sector_size(sqlite3_file *f)
{
	(void)f;
	return DISK_BLOCK;
}

static int do_device_characteristics(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = do_close,
	.xRead = do_read,
	.xWrite = do_write,
	.xTruncate = do_truncate,
	.xSync = do_sync,
	.xFileSize = do_file_size,
	.xLock = do_lock,
	.xUnlock = do_lock,
	.xCheckReservedLock = do_check_reserved_lock,
	.xFileControl = do_file_control,
	.xSectorSize = do_sector_size,
	.xDeviceCharacteristics = do_device_characteristics,
};

static int do_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct disk_vfs_file *file = (struct disk_vfs_file *)f;
	const int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
	bool create = flags & SQLITE_OPEN_CREATE;
	struct disk *d = disk_in_use();
	int error;

	(void)v;
	*file = (struct disk_vfs_file){ .name = name };
	/*
	 * Temporary files have no name: SQLite never needs one, as the gateway has it keep them in
	 * memory.
	 */
	if (!name)
		return SQLITE_CANTOPEN;
	file->sync_names = create && (flags & journals) && !disk_find(d, name);
	file->delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE;
	file->file = disk_open(d, name, create, &error);
	if (!file->file)
		return code_of(error, SQLITE_CANTOPEN);
	file->base.pMethods = &methods;
	if (ret_flags)
		*ret_flags = flags;
	return SQLITE_OK;
}

static int do_delete(sqlite3_vfs *v, const char *name, int sync)
{
	int r = disk_unlink(disk_in_use(), name);

	(void)v;
	if (r < 0)
		return r == -ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
	if (sync && disk_sync_names(disk_in_use()) < 0)
		return SQLITE_IOERR_DIR_FSYNC;
	return SQLITE_OK;
}

static int do_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
	const struct disk_file *f = disk_find(disk_in_use(), name);

	(void)v;
	if (disk_in_use()->dead)
		return SQLITE_IOERR_ACCESS;
	/* As in SQLite's own layer, an empty file does not exist. */
	*ret = f && (flags != SQLITE_ACCESS_EXISTS || f->now.n > 0);
	return SQLITE_OK;
}

static int do_full_pathname(sqlite3_vfs *v, const char *name, int n, char *to)
{
	(void)v;
	sqlite3_snprintf(n, to, "%s", name);
	return SQLITE_OK;
}

static int do_randomness(sqlite3_vfs *v, int n, char *to)
{
	(void)v;
	for (int i = 0; i < n; i++)
		to[i] = (char)random_number();
	return n;
}

static int do_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us;
}

/* The unit is milliseconds since Julian day 0. */
static int do_time(sqlite3_vfs *v, sqlite3_int64 *ret)
{
	(void)v;
	*ret = 24405875 * (sqlite3_int64)8640000 + clock_wall_ns() / 1000000;
	return SQLITE_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): SQLite declares it so. */
static int do_last_error(sqlite3_vfs *v, int n, char *to)
{
	(void)v;
	(void)n;
	(void)to;
	return 0;
}

static sqlite3_vfs vfs = {
	.iVersion = 2,
	.szOsFile = sizeof(struct disk_vfs_file),
	.mxPathname = 512,
	.zName = "simulated",
	.xOpen = do_open,
	.xDelete = do_delete,
	.xAccess = do_access,
	.xFullPathname = do_full_pathname,
	.xRandomness = do_randomness,
	.xSleep = do_sleep,
	.xGetLastError = do_last_error,
	.xCurrentTimeInt64 = do_time,
};

void disk_vfs_register(void)
{
	/* By this name copies are opened. SQLite finds the one that was registered last. */
	static sqlite3_vfs without_locks;
	int r = sqlite3_vfs_register(&vfs, 1);

	without_locks = vfs;
	without_locks.zName = "unix-none";
	without_locks.pNext = NULL;
	assert(r == SQLITE_OK);
	r = sqlite3_vfs_register(&without_locks, 0);
	assert(r == SQLITE_OK);
}
