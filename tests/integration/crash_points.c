/*
 * Preloaded into the gateway: a power cut. The process kills itself instead of making its
 * CRASH_AT-th call that changes what is on disk, counted from 1. With NO_LINKS the file system has
 * no links, and cannot rename without replacing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier) */
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void count(void)
{
	static long calls;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
	const char *crash_at = getenv("CRASH_AT");

	if (crash_at &&
	    __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) == strtol(crash_at, NULL, 10))
		kill(getpid(), SIGKILL);
}

static int refuses(int why)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
	errno = getenv("NO_LINKS") ? why : 0;
	return errno;
}

int link(const char *from, const char *to)
{
	int (*real)(const char *,
		    const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link");

	count();
	return refuses(EPERM) ? -1 : real(from, to);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	int (*real)(int, const char *, int, const char *, unsigned) = (int (*)(
		int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2");

	count();
	return flags && refuses(EINVAL) ? -1 : real(from_at, from, to_at, to, flags);
}

int open64(const char *name, int flags, ...)
{
	int (*real)(const char *, int,
		    mode_t) = (int (*)(const char *, int, mode_t))dlsym(RTLD_NEXT, "open64");
	va_list rest;
	mode_t mode;

	va_start(rest, flags);
	mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
	va_end(rest);
	if (flags & O_CREAT)
		count();
	return real(name, flags, mode);
}

/* NOLINTBEGIN(bugprone-macro-parentheses): types and parameters stand in none. */
#define COUNTED(result, name, parameters, ...)                                            \
	result name parameters                                                            \
	{                                                                                 \
		result(*real) parameters = (result(*) parameters)dlsym(RTLD_NEXT, #name); \
                                                                                          \
		count();                                                                  \
		return real(__VA_ARGS__);                                                 \
	}

/* NOLINTEND(bugprone-macro-parentheses) */

COUNTED(int, rename, (const char *from, const char *to), from, to)
COUNTED(int, unlink, (const char *path), path)
COUNTED(int, fsync, (int fd), fd)
COUNTED(int, fdatasync, (int fd), fd)
COUNTED(int, fchown, (int fd, uid_t owner, gid_t group), fd, owner, group)
COUNTED(int, fchmod, (int fd, mode_t mode), fd, mode)
COUNTED(int, ftruncate64, (int fd, off64_t size), fd, size)
COUNTED(ssize_t, pwrite64, (int fd, const void *data, size_t n, off64_t at), fd, data, n, at)
