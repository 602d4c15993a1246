#include "sim/crowds.h"

#include "http/conn.h"
#include "http/internal.h"
#include "sim/net.h"
#include "sim/world.h"

/* Requests up to this size always have room. */
enum { SMALL = 64 * 1024 };

/* What each connection holds of a request, and the one whose large request came first. */
static uint64_t held[NET_SOCKETS];
static const struct conn *first;

static uint64_t *held_by(const struct conn *c)
{
	return &held[c->fd - NET_FIRST_FD];
}

static uint64_t all_held(void)
{
	uint64_t n = 0;

	for (int i = 0; i < NET_SOCKETS; i++)
		n += held[i];
	return n;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
bool __real_count_received(struct conn *c, uint64_t n);
void __real_count_ended(struct conn *c);
bool __wrap_count_received(struct conn *c, uint64_t n);
void __wrap_count_ended(struct conn *c);

bool __wrap_count_received(struct conn *c, uint64_t n)
{
	uint64_t *mine = held_by(c);
	bool grows = n > *mine && n > SMALL, fits;

	if (grows && !first)
		first = c;
	fits = !grows || first == c || !world->crowded || all_held() - *mine + n <= CROWDS_BYTES;
	if (fits)
		*mine = n;
	if (__real_count_received(c, n) != fits)
		world_fails(world, "a request of %llu bytes so far, of %llu in all, is %s",
			    (unsigned long long)n, (unsigned long long)all_held(),
			    fits ? "refused" : "received");
	world->counts->crowded += !fits;
	return fits;
}

void __wrap_count_ended(struct conn *c)
{
	struct http_server *server = c->worker->server;
	unsigned long long n;

	*held_by(c) = 0;
	if (first == c)
		first = NULL;
	__real_count_ended(c);
	n = atomic_load(&server->receiving);
	if (n != all_held())
		world_fails(world, "requests take %llu bytes, and are counted as %llu",
			    (unsigned long long)all_held(), n);
}

/* NOLINTEND(bugprone-reserved-identifier) */
