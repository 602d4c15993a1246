#include "base/clock.h"

#include <time.h>

static struct {
	bool still;
	int64_t wall_ns, mono_ns;
} held;

static int64_t now_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_wall_ns(void)
{
	return held.still ? held.wall_ns : now_ns(CLOCK_REALTIME);
}

double clock_wall(void)
{
	return (double)clock_wall_ns() / 1e9;
}

int64_t clock_mono_ns(void)
{
	return held.still ? held.mono_ns : now_ns(CLOCK_MONOTONIC);
}

int64_t clock_boot_ns(void)
{
	return held.still ? held.mono_ns : now_ns(CLOCK_BOOTTIME);
}

bool clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ns)
{
	const struct timespec until = { until_ns / 1000000000, until_ns % 1000000000 };

	return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &until) == 0;
}

void clock_hold(int64_t wall_ns, int64_t mono_ns)
{
	held.still = true;
	held.wall_ns = wall_ns;
	held.mono_ns = mono_ns;
}
