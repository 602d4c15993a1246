#include "sim/disk_calls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "lib/rng.h"

enum { FIRST_FD = 1 << 20, FDS = 64, DIRECTORY_INODE = 1, DEVICE = 77 };

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static struct descriptor {
	enum { FREE, FILE_OPEN, DIRECTORY_OPEN, BOOT_ID_OPEN } kind;
	struct disk_file *file;
	size_t at;
} fds[FDS];

static struct disk *disk;

static bool (*read_other)(int fd, void *to, size_t n, ssize_t *ret);
static bool (*close_other)(int fd);

void disk_share_descriptors(bool (*read_fn)(int fd, void *to, size_t n, ssize_t *ret),
			    bool (*close_fn)(int fd))
{
	read_other = read_fn;
	close_other = close_fn;
}

void disk_use(struct disk *d)
{
	static bool registered;

	assert(disk_descriptors() == 0);
	disk = d;
	/* There is one thread, and nothing asks SQLite how much memory it takes. */
	if (!registered) {
		sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
		sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
		disk_vfs_register();
	}
	registered = true;
	/* SQLite asks for a new seed of its random numbers. */
	sqlite3_randomness(0, NULL);
}

struct disk *disk_in_use(void)
{
	return disk;
}

unsigned disk_descriptors(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < FDS; i++)
		n += fds[i].kind != FREE;
	return n;
}

static bool is_ours(const char *name)
{
	return disk && strncmp(name, DISK_DIRECTORY, strlen(DISK_DIRECTORY)) == 0;
}

static bool is_directory(const char *name)
{
	return strcmp(name, DISK_DIRECTORY) == 0;
}

/* NULL: not a descriptor of the disk. */
static struct descriptor *fd_of(int fd)
{
	return fd >= FIRST_FD && fd < FIRST_FD + FDS ? &fds[fd - FIRST_FD] : NULL;
}

static ssize_t answer(ssize_t r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

static int new_fd(int kind, struct disk_file *file)
{
	for (int i = 0; i < FDS; i++)
		if (fds[i].kind == FREE) {
			fds[i].kind = kind;
			fds[i].file = file;
			fds[i].at = 0;
			return FIRST_FD + i;
		}
	abort();
}

static void stat_of(const struct disk_file *f, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_dev = DEVICE;
	st->st_mode = f ? S_IFREG | 0600 : S_IFDIR | 0700;
	st->st_ino = f ? f->id + DIRECTORY_INODE : DIRECTORY_INODE;
	st->st_size = f ? (off_t)f->now.n : 0;
	st->st_mtim.tv_nsec = f ? f->put : 0;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. The last
 * arguments of open() and fcntl() are passed as fixed ones would be. */
int __real_open64(const char *name, int flags, unsigned mode);
int __real___open64_2(const char *name, int flags);
int __real_close(int fd);
ssize_t __real_read(int fd, void *to, size_t n);
ssize_t __real_pread64(int fd, void *to, size_t n, off_t at);
ssize_t __real_pwrite64(int fd, const void *from, size_t n, off_t at);
int __real_fstat64(int fd, struct stat *st);
int __real_stat64(const char *name, struct stat *st);
int __real_lstat64(const char *name, struct stat *st);
int __real_statx(int at, const char *name, int flags, unsigned mask, struct statx *ret);
int __real_access(const char *name, int mode);
int __real_unlink(const char *name);
int __real_link(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __real_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);
int __real_fallocate64(int fd, int mode, off_t at, off_t n);
int __real_fsync(int fd);
int __real_ftruncate64(int fd, off_t size);
int __real_fchmod(int fd, mode_t mode);
int __real_fchown(int fd, uid_t owner, gid_t group);
int __real_posix_fadvise64(int fd, off_t at, off_t n, int advice);
void *__real_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t at);
char *__real_realpath(const char *name, char *to);
ssize_t __real_readlink(const char *name, char *to, size_t n);
int __real_fcntl64(int fd, int op, void *arg);

int __wrap_open64(const char *name, int flags, unsigned mode);
int __wrap___open64_2(const char *name, int flags);
int __wrap_close(int fd);
ssize_t __wrap_read(int fd, void *to, size_t n);
ssize_t __wrap_pread64(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *from, size_t n, off_t at);
int __wrap_fstat64(int fd, struct stat *st);
int __wrap_stat64(const char *name, struct stat *st);
int __wrap_lstat64(const char *name, struct stat *st);
int __wrap_statx(int at, const char *name, int flags, unsigned mask, struct statx *ret);
int __wrap_access(const char *name, int mode);
int __wrap_unlink(const char *name);
int __wrap_link(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t n);
int __wrap_fsync(int fd);
int __wrap_ftruncate64(int fd, off_t size);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchown(int fd, uid_t owner, gid_t group);
int __wrap_posix_fadvise64(int fd, off_t at, off_t n, int advice);
void *__wrap_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t at);
char *__wrap_realpath(const char *name, char *to);
ssize_t __wrap_readlink(const char *name, char *to, size_t n);
int __wrap_fcntl64(int fd, int op, void *arg);

static int open_ours(const char *name, int flags)
{
	struct disk_file *f;
	int error;

	if (is_directory(name))
		return disk->dead ? (int)answer(-EIO) : new_fd(DIRECTORY_OPEN, NULL);
	f = disk_open(disk, name, flags & O_CREAT, &error);
	return f ? new_fd(FILE_OPEN, f) : (int)answer(error);
}

int __wrap_open64(const char *name, int flags, unsigned mode)
{
	if (is_ours(name))
		return open_ours(name, flags);
	if (disk && strcmp(name, BOOT_ID_FILE) == 0)
		return new_fd(BOOT_ID_OPEN, NULL);
	return __real_open64(name, flags, mode);
}

/*
 * With _FORTIFY_SOURCE, open() with two arguments is a call of this where its flags are no
 * constant.
 */
int __wrap___open64_2(const char *name, int flags)
{
	return is_ours(name) ? open_ours(name, flags) : __real___open64_2(name, flags);
}

int __wrap_close(int fd)
{
	struct descriptor *d = fd_of(fd);

	if (!d && close_other && close_other(fd))
		return 0;
	if (!d)
		return __real_close(fd);
	assert(d->kind != FREE);
	if (d->kind == FILE_OPEN)
		disk_close(disk, d->file);
	d->kind = FREE;
	return 0;
}

ssize_t __wrap_pread64(int fd, void *to, size_t n, off_t at)
{
	struct descriptor *d = fd_of(fd);

	if (!d)
		return __real_pread64(fd, to, n, at);
	if (n > 1 && disk->faults.shorts && rng_one_in(&disk->rng, disk->faults.shorts)) {
		n = 1 + rng_below(&disk->rng, (uint32_t)n - 1);
		disk->cut_short++;
	}
	return answer(disk_read(disk, d->file, to, n, (size_t)at));
}

ssize_t __wrap_read(int fd, void *to, size_t n)
{
	struct descriptor *d = fd_of(fd);
	char id[37];
	ssize_t r;

	if (!d && read_other && read_other(fd, to, n, &r))
		return r;
	if (!d)
		return __real_read(fd, to, n);
	if (d->kind == BOOT_ID_OPEN) {
		snprintf(id, sizeof(id), "%036u", disk->boots);
		memcpy(to, id, n < 36 ? n : 36);
		return n < 36 ? (ssize_t)n : 36;
	}
	r = disk_read(disk, d->file, to, n, d->at);
	d->at += r > 0 ? (size_t)r : 0;
	return answer(r);
}

ssize_t __wrap_pwrite64(int fd, const void *from, size_t n, off_t at)
{
	struct descriptor *d = fd_of(fd);

	return d ? answer(disk_write(disk, d->file, from, n, (size_t)at))
		 : __real_pwrite64(fd, from, n, at);
}

int __wrap_fstat64(int fd, struct stat *st)
{
	struct descriptor *d = fd_of(fd);

	if (!d)
		return __real_fstat64(fd, st);
	stat_of(d->file, st);
	return 0;
}

static int stat_ours(const char *name, struct stat *st)
{
	struct disk_file *f = disk_find(disk, name);

	if (disk->dead)
		return (int)answer(-EIO);
	if (!f && !is_directory(name))
		return (int)answer(-ENOENT);
	stat_of(f, st);
	return 0;
}

int __wrap_stat64(const char *name, struct stat *st)
{
	return is_ours(name) ? stat_ours(name, st) : __real_stat64(name, st);
}

int __wrap_lstat64(const char *name, struct stat *st)
{
	return is_ours(name) ? stat_ours(name, st) : __real_lstat64(name, st);
}

int __wrap_statx(int at, const char *name, int flags, unsigned mask, struct statx *ret)
{
	struct stat st;

	if (!fd_of(at) && !is_ours(name))
		return __real_statx(at, name, flags, mask, ret);
	if ((fd_of(at) ? __wrap_fstat64(at, &st) : stat_ours(name, &st)) < 0)
		return -1;
	memset(ret, 0, sizeof(*ret));
	ret->stx_mask = mask;
	ret->stx_dev_minor = (unsigned)st.st_dev;
	ret->stx_mode = (uint16_t)st.st_mode;
	ret->stx_ino = st.st_ino;
	ret->stx_size = (uint64_t)st.st_size;
	return 0;
}

int __wrap_access(const char *name, int mode)
{
	struct stat st;

	return is_ours(name) ? stat_ours(name, &st) : __real_access(name, mode);
}

int __wrap_unlink(const char *name)
{
	return is_ours(name) ? (int)answer(disk_unlink(disk, name)) : __real_unlink(name);
}

int __wrap_link(const char *from, const char *to)
{
	return is_ours(from) ? (int)answer(disk_link(disk, from, to)) : __real_link(from, to);
}

int __wrap_rename(const char *from, const char *to)
{
	return is_ours(from) ? (int)answer(disk_rename(disk, from, to)) : __real_rename(from, to);
}

int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	if (!is_ours(from))
		return __real_renameat2(from_at, from, to_at, to, flags);
	assert(flags == RENAME_NOREPLACE);
	return (int)answer(disk_find(disk, to) ? -EEXIST : disk_rename(disk, from, to));
}

int __wrap_fallocate64(int fd, int mode, off_t at, off_t n)
{
	struct descriptor *d = fd_of(fd);

	if (!d)
		return __real_fallocate64(fd, mode, at, n);
	assert(mode == FALLOC_FL_KEEP_SIZE);
	return (int)answer(disk_allocate(disk, d->file, (size_t)(at + n)));
}

int __wrap_fsync(int fd)
{
	struct descriptor *d = fd_of(fd);

	if (!d)
		return __real_fsync(fd);
	return (int)answer(d->kind == DIRECTORY_OPEN ? disk_sync_names(disk)
						     : disk_sync(disk, d->file));
}

int __wrap_ftruncate64(int fd, off_t size)
{
	struct descriptor *d = fd_of(fd);

	return d ? (int)answer(disk_truncate(disk, d->file, (size_t)size))
		 : __real_ftruncate64(fd, size);
}

/* The disk has no permissions. */
int __wrap_fchmod(int fd, mode_t mode)
{
	return fd_of(fd) ? 0 : __real_fchmod(fd, mode);
}

int __wrap_fchown(int fd, uid_t owner, gid_t group)
{
	return fd_of(fd) ? 0 : __real_fchown(fd, owner, group);
}

int __wrap_posix_fadvise64(int fd, off_t at, off_t n, int advice)
{
	struct descriptor *d = fd_of(fd);

	if (!d)
		return __real_posix_fadvise64(fd, at, n, advice);
	disk_forget_cached(disk, d->file);
	return 0;
}

void *__wrap_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t at)
{
	struct descriptor *d = fd_of(fd);
	void *copy;

	if (!d)
		return __real_mmap64(p, n, prot, flags, fd, at);
	copy = __real_mmap64(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy != MAP_FAILED && disk_read(disk, d->file, copy, n, (size_t)at) >= 0)
		return copy;
	if (copy != MAP_FAILED)
		munmap(copy, n);
	errno = EIO;
	return MAP_FAILED;
}

char *__wrap_realpath(const char *name, char *to)
{
	struct stat st;

	if (!is_ours(name))
		return __real_realpath(name, to);
	assert(!to);
	return stat_ours(name, &st) == 0 ? mem_strdup(name) : NULL;
}

ssize_t __wrap_readlink(const char *name, char *to, size_t n)
{
	if (!is_ours(name))
		return __real_readlink(name, to, n);
	errno = EINVAL;
	return -1;
}

int __wrap_fcntl64(int fd, int op, void *arg)
{
	if (fd_of(fd))
		return 0;
	return __real_fcntl64(fd, op, arg);
}

/* NOLINTEND(bugprone-reserved-identifier) */
