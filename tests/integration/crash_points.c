/*
 * Preloaded into the gateway: a power cut. The process kills itself instead of making its
 * CRASH_AT-th call that changes what is on disk, counted from 1.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier) */
#endif
#include <dlfcn.h>
#include <signal.h>
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

COUNTED(int, link, (const char *from, const char *to), from, to)
COUNTED(int, rename, (const char *from, const char *to), from, to)
COUNTED(int, unlink, (const char *path), path)
COUNTED(int, fsync, (int fd), fd)
COUNTED(int, fdatasync, (int fd), fd)
COUNTED(int, fchmod, (int fd, mode_t mode), fd, mode)
COUNTED(int, ftruncate64, (int fd, off64_t size), fd, size)
COUNTED(ssize_t, pwrite64, (int fd, const void *data, size_t n, off64_t at), fd, data, n, at)
