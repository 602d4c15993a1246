/*
 * Preloaded into the gateway: a disk that stalls or fails when a test says so, through files in the
 * directory that TALLYGATE_FAULTS names.
 *   hold    a sync waits as long as the test holds an exclusive flock on it; "held" then exists
 *   sync    the errno that a sync fails with
 *   dirsync the errno that the sync of a directory fails with
 *   write   the errno that a write fails with
 *   link    the errno that giving a file a second name fails with, as on file systems without links
 *   noreplace  the errno that renaming a file without replacing another fails with
 *   bad     "FROM TO NAME": reading one of these bytes of files with names that end so fails with
 * EIO, and below a mapping it ends the process space   how many bytes the files of a directory may
 * take: a write that needs more, or space that is asked for in advance, fails with ENOSPC
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier) */
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_fault(const char *name, int flags)
{
	char path[4096];

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
	snprintf(path, sizeof(path), "%s/%s", getenv("TALLYGATE_FAULTS"), name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static long number_in(const char *name)
{
	char text[16] = "";
	int fd = open_fault(name, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 10) : 0;
}

static int before_sync(void)
{
	int hold = open_fault("hold", O_RDONLY);

	if (hold >= 0) {
		if (flock(hold, LOCK_SH | LOCK_NB) < 0) {
			close(open_fault("held", O_WRONLY | O_CREAT));
			flock(hold, LOCK_SH);
		}
		close(hold);
	}
	errno = (int)number_in("sync");
	return errno ? -1 : 0;
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	struct stat st;

	errno = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? (int)number_in("dirsync") : 0;
	return errno || before_sync() < 0 ? -1 : real(fd);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

	return before_sync() < 0 ? -1 : real(fd);
}

int link(const char *from, const char *to)
{
	int (*real)(const char *,
		    const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link");

	errno = (int)number_in("link");
	return errno ? -1 : real(from, to);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	int (*real)(int, const char *, int, const char *, unsigned) = (int (*)(
		int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2");

	errno = flags ? (int)number_in("noreplace") : 0;
	return errno ? -1 : real(from_at, from, to_at, to, flags);
}

/* Whether one of the bytes cannot be read. */
static int is_bad(int fd, size_t n, off64_t at)
{
	char text[100] = "", *rest;
	int file = open_fault("bad", O_RDONLY);
	long from, to, inode;
	struct stat st;
	ssize_t got;

	if (file < 0)
		return 0;
	got = read(file, text, sizeof(text) - 1);
	close(file);
	from = strtol(text, &rest, 10);
	to = strtol(rest, &rest, 10);
	inode = strtol(rest, NULL, 10);
	return got > 0 && fstat(fd, &st) == 0 && (long)st.st_ino == inode && at < to &&
	       at + (off64_t)n > from;
}

ssize_t pread64(int fd, void *to, size_t n, off64_t at)
{
	ssize_t (*real)(int, void *, size_t, off64_t) = (ssize_t(*)(
		int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");

	errno = is_bad(fd, n, at) ? EIO : 0;
	return errno ? -1 : real(fd, to, n, at);
}

void *mmap64(void *p, size_t n, int prot, int flags, int fd, off64_t at)
{
	void *(*real)(void *, size_t, int, int, int,
		      off64_t) = (void *(*)(void *, size_t, int, int, int, off64_t))dlsym(RTLD_NEXT,
											  "mmap64");

	return real(p, n, fd >= 0 && is_bad(fd, n, at) ? PROT_NONE : prot, flags, fd, at);
}

/* What the files beside this one, and it, take on the disk. */
static long used_beside(int fd)
{
	char link[64], target[4096];
	struct dirent *entry;
	struct stat st;
	long sum = 0;
	ssize_t n;
	DIR *dir;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	if (!strrchr(target, '/'))
		return 0;
	*strrchr(target, '/') = '\0';
	dir = opendir(target);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours */
	while (dir && (entry = readdir(dir)))
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			sum += st.st_blocks * 512L;
	if (dir)
		closedir(dir);
	return sum;
}

/* The file is to have blocks up to there. */
static int has_room(int fd, off64_t end)
{
	enum { BLOCK = 4096 };
	long space = number_in("space"), more;
	struct stat st;

	if (space == 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 1;
	more = (end + BLOCK - 1) / BLOCK * BLOCK - st.st_blocks * 512L;
	return more <= 0 || used_beside(fd) + more <= space;
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = (ssize_t(*)(
		int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");

	int why = (int)number_in("write");

	if (!why && !has_room(fd, at + (off64_t)n))
		why = ENOSPC;
	errno = why;
	return why ? -1 : real(fd, data, n, at);
}

int fallocate64(int fd, int mode, off64_t at, off64_t n)
{
	int (*real)(int, int, off64_t,
		    off64_t) = (int (*)(int, int, off64_t, off64_t))dlsym(RTLD_NEXT, "fallocate64");

	int why = has_room(fd, at + n) ? 0 : ENOSPC;

	errno = why;
	return why ? -1 : real(fd, mode, at, n);
}
