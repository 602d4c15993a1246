/*
 * Preloaded into the gateway: each sync takes 5 ms longer, as on a disk that turns or is behind a
 * network.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { DELAY_NS = 5 * 1000 * 1000 };

static void delay(void)
{
	struct timespec left = { .tv_nsec = DELAY_NS };
	int r;

	do
		r = clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left);
	while (r == EINTR);
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	delay();
	return real(fd);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

	delay();
	return real(fd);
}

int sync_file_range(int fd, off64_t from, off64_t to, unsigned flags)
{
	int (*real)(int, off64_t, off64_t, unsigned) = (int (*)(
		int, off64_t, off64_t, unsigned))dlsym(RTLD_NEXT, "sync_file_range");

	delay();
	return real(fd, from, to, flags);
}
