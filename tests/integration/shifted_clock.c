/*
 * Clocks that a test sets, preloaded into the gateway: $TALLYGATE_CLOCK names a file with two
 * numbers of nanoseconds (int64_t) that are added to what CLOCK_REALTIME and CLOCK_MONOTONIC say.
 * Waiting takes as long as ever: deadlines are turned back into those of the machine.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { WALL, MONO };

static const volatile int64_t *shift(void)
{
	static const volatile int64_t *shared;
	static const int64_t none[2];

	if (!shared) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
		const char *path = getenv("TALLYGATE_CLOCK");
		int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		void *p = fd < 0 ? MAP_FAILED
				 : mmap(NULL, sizeof(none), PROT_READ, MAP_SHARED, fd, 0);

		if (fd >= 0)
			close(fd);
		shared = p == MAP_FAILED ? none : p;
	}
	return shared;
}

static void add(struct timespec *ts, int64_t ns)
{
	int64_t all = ts->tv_sec * INT64_C(1000000000) + ts->tv_nsec + ns;

	ts->tv_sec = all / 1000000000;
	ts->tv_nsec = all % 1000000000;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	static int (*real)(clockid_t, struct timespec *);
	int r;

	if (!real)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	r = real(id, ts);
	if (id == CLOCK_REALTIME)
		add(ts, shift()[WALL]);
	else if (id == CLOCK_MONOTONIC)
		add(ts, shift()[MONO]);
	return r;
}

/* All of ours wait by the monotonic clock, with this (src/base/clock.c). */
int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *lock, clockid_t id,
			   const struct timespec *until)
{
	static int (*real)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
	struct timespec ts = *until;

	if (!real)
		real = (int (*)(pthread_cond_t *, pthread_mutex_t *, clockid_t,
				const struct timespec *))dlsym(RTLD_NEXT, "pthread_cond_clockwait");
	if (id == CLOCK_MONOTONIC)
		add(&ts, -shift()[MONO]);
	return real(cond, lock, id, &ts);
}
