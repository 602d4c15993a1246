/*
 * Preloaded into the gateway: a disk that stalls or fails when a test says so, through files in the
 * directory that TALLYGATE_FAULTS names.
 *   hold    a sync waits as long as the test holds an exclusive flock on it; "held" then exists
 *   sync    the errno that a sync fails with
 *   write   the errno that a write fails with
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier) */
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static int open_fault(const char *name, int flags)
{
	char path[4096];

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
	snprintf(path, sizeof(path), "%s/%s", getenv("TALLYGATE_FAULTS"), name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static int failure(const char *name)
{
	char text[16] = "";
	int fd = open_fault(name, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? (int)strtol(text, NULL, 10) : 0;
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
	errno = failure("sync");
	return errno ? -1 : 0;
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	return before_sync() < 0 ? -1 : real(fd);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

	return before_sync() < 0 ? -1 : real(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = (ssize_t(*)(
		int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");

	errno = failure("write");
	return errno ? -1 : real(fd, data, n, at);
}
