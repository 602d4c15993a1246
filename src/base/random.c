#include "base/random.h"

#include <stdbool.h>
#include <sys/random.h>

#include "base/clock.h"

static struct {
	bool still;
	uint64_t state;
} held;

/* splitmix64 */
static uint64_t next_of_seed(void)
{
	uint64_t z = held.state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

uint64_t random_number(void)
{
	uint64_t n;

	if (held.still)
		return next_of_seed();
	if (getrandom(&n, sizeof(n), 0) == (ssize_t)sizeof(n))
		return n;
	/* A kernel without them: better than a constant. */
	return (uint64_t)clock_wall_ns() << 32 ^ (uint64_t)clock_mono_ns();
}

void random_hold(uint64_t seed)
{
	held.still = true;
	held.state = seed;
}
